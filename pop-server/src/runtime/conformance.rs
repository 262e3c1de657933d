//! The contract of all runtimes, as one suite. The programs are shell scripts, so they run on every machine and in every
//! image with a shell. Durations here are limits of a failing test; no test waits for time to pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pop_compiler::agenda::{RunSpec, Stdout};
use pop_sdk::api::{Failure, FailureClass};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{AttemptKey, Launch, Reporter, Runtime, Signal, Stop};
use crate::run::Resources;

/// Longer than any attempt of these tests may take.
const LONG: Duration = Duration::from_mins(1);

static RUNS: AtomicU64 = AtomicU64::new(1);

/// Where the suite runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The image of the scripts, for runtimes that need one.
    pub(crate) image: Option<&'static str>,
    /// Whether the processes of attempts are processes of this machine, with the same numbers.
    pub(crate) here: bool,
}

/// This machine.
pub(crate) const HERE: Place = Place { image: None, here: true };

impl Place {
    /// A run spec with a script.
    fn script(&self, text: &str) -> RunSpec {
        RunSpec { image: self.image.map(str::to_owned), ..script(text) }
    }
}

/// A launched attempt.
pub(crate) struct Started<'a> {
    runtime: &'a dyn Runtime,
    key: AttemptKey,
    /// The command, for messages.
    what: String,
    signals: mpsc::UnboundedReceiver<(AttemptKey, Signal)>,
    pub(crate) stop: Stop,
}

/// All signals of an attempt.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) signals: Vec<Signal>,
    pub(crate) outcome: Result<Value, Failure>,
}

impl Told {
    pub(crate) fn log(&self, name: &str) -> String {
        let text = |signal: &Signal| match signal {
            Signal::Log { stream, text, .. } if *stream == name => Some(text.clone()),
            _ => None,
        };
        self.signals.iter().filter_map(text).collect()
    }

    pub(crate) fn failure(&self) -> &Failure {
        self.outcome.as_ref().expect_err("it fails")
    }

    fn code(&self) -> (&str, Option<i32>, Option<i32>) {
        let failure = self.failure();
        (&failure.code, failure.exit_code, failure.signal)
    }

    fn progress(&self) -> Vec<f64> {
        let percent = |signal: &Signal| match signal {
            Signal::Progress { percent, .. } => Some(*percent),
            _ => None,
        };
        self.signals.iter().filter_map(percent).collect()
    }
}

impl Started<'_> {
    /// The next signal that satisfies `is`.
    pub(crate) async fn until(&mut self, is: impl Fn(&Signal) -> bool) -> Signal {
        let wait = async {
            loop {
                let (_, signal) = self.signals.recv().await.expect("it goes on until it has exited");
                if is(&signal) {
                    return signal;
                }
            }
        };
        tokio::time::timeout(LONG, wait).await.expect("the signal comes")
    }

    /// All signals until the end. No signal may follow.
    pub(crate) async fn end(mut self) -> Told {
        let wait = async {
            let mut signals = Vec::new();
            while let Some((_, signal)) = self.signals.recv().await {
                signals.push(signal);
            }
            signals
        };
        let ended = tokio::time::timeout(LONG, wait).await;
        let mut signals = ended.unwrap_or_else(|_| panic!("{} ends, and lets go of its reporter", self.what));
        self.runtime.settled(self.key);
        let exits = signals.iter().filter(|s| matches!(s, Signal::Exited(_))).count();
        assert_eq!(exits, 1, "{signals:?}");
        match signals.pop() {
            Some(Signal::Exited(outcome)) => Told { signals, outcome },
            other => panic!("the last signal is the exit: {other:?}"),
        }
    }
}

/// Launches an attempt of `operation`.
pub(crate) fn launch<'a>(
    runtime: &'a dyn Runtime,
    operation: &str,
    attempt: u32,
    spec: RunSpec,
    payload: Value,
) -> Started<'a> {
    begin(runtime, attempt_of(operation, attempt, spec, payload))
}

/// An attempt of `operation`.
pub(crate) fn attempt_of(operation: &str, attempt: u32, spec: RunSpec, payload: Value) -> Launch {
    Launch {
        // An executor gives each key once.
        key: AttemptKey { run: RUNS.fetch_add(1, Ordering::Relaxed), op: 0, attempt },
        agenda: "ag_1".into(),
        epoch: 1,
        customer: None,
        cid: None,
        operation: operation.into(),
        operation_id: None,
        kind: "t.script".into(),
        spec: Some(Arc::new(spec)),
        fan_out: None,
        resources: Resources::default(),
        payload,
    }
}

/// Launches an attempt.
pub(crate) fn begin(runtime: &dyn Runtime, launch: Launch) -> Started<'_> {
    let (out, signals) = mpsc::unbounded_channel();
    let (key, stop) = (launch.key, Stop::default());
    let what = format!("{:?}", launch.spec.as_ref().map(|spec| &spec.command));
    runtime.launch(launch, Reporter::new(key, out), stop.clone());
    Started { runtime, key, what, signals, stop }
}

/// A run spec with a script.
pub(crate) fn script(text: &str) -> RunSpec {
    RunSpec { command: ["sh", "-c", text].map(str::to_owned).into(), ..RunSpec::default() }
}

async fn run(runtime: &dyn Runtime, spec: RunSpec) -> Told {
    launch(runtime, "op", 1, spec, json!({})).end().await
}

fn said(what: &str) -> impl Fn(&Signal) -> bool {
    move |signal| matches!(signal, Signal::Log { text, .. } if text.contains(what))
}

/// Runs the suite; `runtime` returns a runtime with a grace of one minute and an output limit of one mebibyte.
pub(crate) async fn check<R: Runtime>(at: Place, runtime: impl AsyncFn() -> R) {
    ends(at, &runtime().await).await;
    outputs(at, &runtime().await).await;
    words(at, &runtime().await).await;
    stops(at, &runtime().await).await;
    leftovers(at, &runtime().await).await;
    if at.here {
        late(at, &runtime().await).await;
    }
    traps(at, &runtime().await).await;
    twice(at, &runtime().await).await;
}

async fn ends(at: Place, runtime: &dyn Runtime) {
    let told = run(runtime, at.script("echo hello; echo oops >&2")).await;
    assert_eq!(told.outcome, Ok(json!({})));
    let first =
        told.signals.iter().find(|signal| !matches!(signal, Signal::Waiting { .. } | Signal::Moments(_)));
    assert_eq!(first, Some(&Signal::Started));
    assert_eq!((&*told.log("stdout"), &*told.log("stderr")), ("hello\n", "oops\n"));
    let told = run(runtime, at.script("echo why >&2; exit 3")).await;
    assert_eq!(told.code(), ("ExitCode", Some(3), None));
    assert_eq!(*told.failure().log_tail, ["why"]);
    assert_eq!(run(runtime, at.script("kill -ABRT $$")).await.code(), ("Signal", None, Some(6)));
    let absent = RunSpec { command: vec!["no-such-program".into()], ..at.script("") };
    let told = run(runtime, absent).await;
    assert_eq!((told.failure().class, told.code().0), (FailureClass::Config, "ProgramNotFound"));
    let nul = RunSpec { command: ["echo", "${with.t}"].map(str::to_owned).into(), ..at.script("") };
    let told = launch(runtime, "op", 1, nul, json!({"t": "a\0b"})).end().await;
    assert_eq!(told.failure().class, FailureClass::User);
    assert!(told.failure().message.contains("argument 1 of `echo` contains a NUL byte"), "{told:?}");
}

async fn outputs(at: Place, runtime: &dyn Runtime) {
    let of = |text: &str, stdout| RunSpec { stdout, ..at.script(text) };
    let told = run(runtime, of("printf '{\"a\": 1}'", Stdout::Json)).await;
    assert_eq!(told.outcome, Ok(json!({"a": 1})));
    let told = run(runtime, of("printf 'a\\nb\\n'", Stdout::Lines)).await;
    assert_eq!(told.outcome, Ok(json!({"lines": ["a", "b"]})));
    let told = run(runtime, of("printf 'a'", Stdout::Text)).await;
    assert_eq!(told.outcome, Ok(json!({"text": "a"})));
    assert_eq!(run(runtime, of("true", Stdout::Json)).await.code().0, "OutputMissing");
    assert_eq!(run(runtime, of("echo {", Stdout::Json)).await.code().0, "OutputInvalid");
    let told = run(runtime, at.script("echo '[2]' > $POP_OUTPUT_FILE")).await;
    assert_eq!(told.outcome, Ok(json!([2])));
    for (text, stdout) in [
        ("yes", Stdout::Text),
        ("head -c 2000000 /dev/zero | tr '\\0' 1 > $POP_OUTPUT_FILE", Stdout::Log),
        // As JSON, a megabyte of control characters takes six megabytes.
        ("head -c 1000000 /dev/zero | tr '\\0' '\\1'", Stdout::Text),
    ] {
        let told = run(runtime, of(text, stdout)).await;
        let failure = told.failure();
        assert_eq!((failure.class, &*failure.code), (FailureClass::User, "OutputTooLarge"), "{failure:?}");
        assert!(failure.message.contains("limit of 1048576 bytes"), "{failure:?}");
    }
    let text = "printf '{\"class\": \"config\", \"code\": \"NoKey\", \"message\": \"set it\"}' > $POP_FAILURE_FILE; exit 1";
    let told = run(runtime, at.script(text)).await;
    assert_eq!((told.failure().class, told.code()), (FailureClass::Config, ("NoKey", Some(1), None)));
}

async fn words(at: Place, runtime: &dyn Runtime) {
    // The program goes on after the test has seen its progress. A pipe in the program's folder opens when the test
    // stops the program.
    let text = "echo 5 > $POP_PROGRESS_FILE; trap 'echo 90 > $POP_PROGRESS_FILE; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
    let mut started = launch(runtime, "op", 1, at.script(text), json!({}));
    let first = started.until(|s| matches!(s, Signal::Progress { .. })).await;
    assert_eq!(first, Signal::Progress { percent: 5.0, message: None });
    started.stop.terminate();
    let told = started.end().await;
    assert_eq!(told.progress(), [90.0], "the last word gets out");
    assert_eq!(told.code(), ("Stopped", Some(0), None));

    let secrets = vec!["/token".to_owned()];
    let spec = RunSpec { secrets, ..at.script("echo $PAYLOAD; cat $POP_PAYLOAD_FILE >&2; exit 1") };
    let told = launch(runtime, "op", 1, spec, json!({"token": "s3cr3t-value"})).end().await;
    assert_eq!(told.log("stdout"), "{\"token\":\"***\"}\n");
    assert!(!format!("{told:?}").contains("s3cr3t"), "{told:?}");

    let text = "python3 -c \"import sys; sys.stdout.write('x'+'é'*60000)\" || printf x";
    let told = run(runtime, at.script(text)).await;
    assert!(!told.log("stdout").contains('\u{fffd}'));
}

async fn stops(at: Place, runtime: &dyn Runtime) {
    let mut started = launch(
        runtime,
        "op",
        1,
        at.script("trap 'echo saved; exit 7' TERM; echo up; while :; do sleep 0.05; done"),
        json!({}),
    );
    started.until(said("up")).await;
    started.stop.terminate();
    let told = started.end().await;
    assert_eq!(told.code(), ("Stopped", Some(7), None));
    assert_eq!(told.log("stdout"), "saved\n");

    let mut started =
        launch(runtime, "op", 1, at.script("trap '' TERM; echo up; while :; do sleep 0.05; done"), json!({}));
    started.until(said("up")).await;
    started.stop.kill();
    assert_eq!(
        started.end().await.code(),
        ("Stopped", None, Some(9)),
        "the grace is a minute, and not waited for"
    );
}

/// A program that left its process group and holds the streams open.
async fn leftovers(at: Place, runtime: &dyn Runtime) {
    for (text, code) in [
        ("setsid sleep 1000 & echo $!", None),
        ("setsid sleep 1000 & echo $!; exit 4", Some("ExitCode")),
        ("setsid sh -c 'trap \"\" TERM; sleep 1000; sleep 1000' & echo $!; sleep 1000", Some("Stopped")),
    ] {
        let mut started = launch(runtime, "op", 1, at.script(text), json!({}));
        let Signal::Log { text: pid, .. } = started.until(|s| matches!(s, Signal::Log { .. })).await else {
            unreachable!()
        };
        if code == Some("Stopped") {
            started.stop.terminate();
        }
        let told = started.end().await;
        assert_eq!(told.outcome.as_ref().err().map(|f| &*f.code), code, "{told:?}");
        if code.is_none() {
            runtime.idle().await;
        }
        if !at.here {
            continue;
        }
        // No other process reaps the program, so its process id cannot belong to another process yet.
        let alive = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        assert!(alive.is_empty() || alive.contains(") Z "), "{text}: {alive}");
    }
}

/// A stop after the success of a program, while other processes hold its streams open, changes nothing.
async fn late(at: Place, runtime: &dyn Runtime) {
    let text = "echo $$; setsid sleep 1000 & exit 0";
    let mut started = launch(runtime, "op", 1, at.script(text), json!({}));
    let Signal::Log { text: pid, .. } = started.until(|s| matches!(s, Signal::Log { .. })).await else {
        unreachable!()
    };
    let stat = format!("/proc/{}/stat", pid.trim());
    let ended = || std::fs::read_to_string(&stat).map_or(true, |text| text.contains(") Z "));
    while !ended() {
        tokio::task::yield_now().await;
    }
    // The runtime must see the end before the stop; both orders are an end.
    tokio::task::yield_now().await;
    started.stop.terminate();
    let told = started.end().await;
    assert!(told.outcome.is_ok() || told.code() == ("Stopped", Some(0), None), "{told:?}");
    runtime.idle().await;
}

/// Another kind of file in the place of each report file.
async fn traps(at: Place, runtime: &dyn Runtime) {
    for put in ["mkfifo", "mkdir", "ln -s /dev/zero"] {
        let told = run(runtime, at.script(&format!("{put} $POP_PROGRESS_FILE"))).await;
        assert_eq!(told.outcome, Ok(json!({})), "{put}");
        assert_eq!(told.log("pop").matches("progress is ignored").count(), 1, "{put}: {told:?}");
        for (file, end) in [("OUTPUT", 0), ("FAILURE", 0), ("FAILURE", 1)] {
            let told = run(runtime, at.script(&format!("{put} $POP_{file}_FILE; exit {end}"))).await;
            let failure = told.failure();
            assert_eq!(
                (failure.class, &*failure.code),
                (FailureClass::User, "OutputInvalid"),
                "{put} {file}"
            );
            assert_eq!(failure.exit_code, Some(end));
        }
    }
    let told = run(runtime, at.script("head -c 300000 /dev/zero > $POP_PROGRESS_FILE")).await;
    assert!(told.log("pop").contains("300000 bytes, over the limit of 262144"), "{told:?}");
    let told = run(runtime, at.script("yes >&2 & yes | head -c 5000000 | tr y z")).await;
    assert!(
        told.log("pop").contains("stdout: ") && told.log("pop").contains("bytes were left out"),
        "{:?}",
        told.log("pop")
    );
}

/// A running attempt does not start twice; settling and forgetting do not touch other attempts.
async fn twice(at: Place, runtime: &dyn Runtime) {
    assert_eq!(runtime.adopt("ag_1", None).await, []);
    let mut first = launch(runtime, "op", 1, at.script("echo up; sleep 1000"), json!({}));
    first.until(said("up")).await;
    let mut second = launch(runtime, "op", 1, at.script("echo second"), json!({}));
    second.until(|s| matches!(s, Signal::Waiting { .. })).await;
    runtime.forget("ag_1");
    first.stop.kill();
    assert_eq!(first.end().await.code().0, "Stopped");
    let told = second.end().await;
    assert_eq!((told.outcome.is_ok(), &*told.log("stdout")), (true, "second\n"));
    runtime.settled(AttemptKey { run: 0, op: 0, attempt: 1 });
    tokio::time::timeout(LONG, runtime.idle()).await.expect("nothing runs any more");
}
