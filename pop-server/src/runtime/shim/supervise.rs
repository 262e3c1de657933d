//! Drives one attempt in its pod: assignment in, signals and the outcome out.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pop_sdk::api::{Failure, FailureClass};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::link::{Answer, Link, Method};
use super::memory::Memory;
use super::outbox::Outbox;
use super::settings::Settings;
use super::wire::{Assignment, Outcome, Receipt};
use crate::env::Env;
use crate::run::{Masker, Resources};
use crate::runtime::local::{Config, Local};
use crate::runtime::{AttemptKey, Launch, Reporter, Runtime as _, Signal, Stop};

/// Longest time of a call until its answer. The pool answers an outcome after at most half of this time.
const CALL: Duration = Duration::from_secs(40);
/// First and longest pause after a call without success.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Time for which progress and log text wait for more.
const GATHER: Duration = Duration::from_millis(50);
/// Time after which a silent shim says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Folder of the program's files in the shim's work folder.
const RUN: &str = "run";
/// Pause between two touches of the agenda's folder.
const TOUCH: Duration = Duration::from_mins(10);
/// The kubelet keeps this many bytes of a termination message.
const TERMINATION_MESSAGE: usize = 4096;
/// Exit code of a shim whose pool did not take the outcome in time.
const UNDELIVERED: u8 = 75;

/// What a shim can't recover from.
enum Over {
    /// The pool has no use for this attempt any more.
    Fenced,
    /// The pool did not answer until the deadline.
    Deadline(String),
}

/// Runs the attempt of this pod to its end.
pub(super) async fn supervise(settings: Settings) -> ExitCode {
    let link = Link::new(&settings.url, &settings.certificate, settings.token_file.clone());
    let stop = Stop::default();
    let asked = stop.clone();
    let mut terminated = match signal(SignalKind::terminate()) {
        Ok(terminated) => terminated,
        Err(error) => return broken(&format!("could not listen for signals: {error}")),
    };
    tokio::spawn(async move {
        while terminated.recv().await.is_some() {
            asked.terminate();
        }
    });
    let mut shim = match link {
        Ok(link) => Shim { settings, link, stop, last_answer: Instant::now(), pause: PAUSES.0 },
        Err(why) => return broken(&why),
    };
    match shim.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Over::Fenced) => {
            eprintln!("pop-shim: the pool has no use for this attempt any more, so the program was ended");
            ExitCode::SUCCESS
        }
        Err(Over::Deadline(why)) => {
            eprintln!("pop-shim: could not deliver the outcome: {why}");
            ExitCode::from(UNDELIVERED)
        }
    }
}

fn broken(why: &str) -> ExitCode {
    eprintln!("pop-shim: {why}");
    ExitCode::from(2)
}

struct Shim {
    settings: Settings,
    link: Link,
    stop: Stop,
    last_answer: Instant,
    pause: Duration,
}

impl Shim {
    async fn run(&mut self) -> Result<(), Over> {
        let assignment = self.assignment().await?;
        let memory = Memory::watch();
        let (agenda, operation) = (assignment.agenda.clone(), assignment.operation.clone());
        let (out, mut signals) = mpsc::unbounded_channel();
        let local = match open(&self.settings, &assignment) {
            Ok(local) => local,
            Err(why) => {
                let failure = crate::run::fail(FailureClass::Infra, "PoolIo", why);
                return self
                    .deliver(&Outcome { result: Err(failure), last_progress: None, ended_at: None })
                    .await;
            }
        };
        if let Some(text) = &assignment.last_progress {
            local.recall(&agenda, &operation, text);
        }
        let masker = Masker::new(&assignment.payload, &assignment.spec.secrets);
        let launch = launch(assignment);
        local.launch(launch.clone(), Reporter::new(launch.key, out), self.stop.clone());
        let used = touch(self.settings.work.parent().unwrap_or(&self.settings.work).to_path_buf());
        let told = tokio::select! {
            told = self.tell(&mut signals) => told,
            never = used => match never {},
        };
        let result = match told {
            Ok(result) => result,
            Err(over) => {
                self.stop.kill();
                local.idle().await;
                return Err(over);
            }
        };
        let last_progress = result.is_err().then(|| local.reached(&agenda, &operation)).flatten();
        let ended_at = Some(Env::system().clock.now());
        let outcome = Outcome { result: explained(result, &memory), last_progress, ended_at };
        leave(&self.settings, &outcome, &masker);
        let delivered = self.deliver(&outcome).await;
        local.idle().await;
        drop(local);
        // Shared files of the program keep these folders.
        let _ =
            fs::remove_dir(self.settings.work.join(RUN)).and_then(|()| fs::remove_dir(&self.settings.work));
        delivered
    }

    /// Asks the pool for this pod's attempt.
    async fn assignment(&mut self) -> Result<Assignment, Over> {
        loop {
            let answer = self.link.call(Method::GET, "assignment", Vec::new(), CALL).await;
            if let Some(body) = self.judge(answer, true).await?
                && let Ok(assignment) = serde_json::from_slice(&body)
            {
                return Ok(assignment);
            }
        }
    }

    /// Sends signals until the attempt's end, and returns its result.
    async fn tell(
        &mut self,
        signals: &mut mpsc::UnboundedReceiver<(AttemptKey, Signal)>,
    ) -> Result<Result<Value, Failure>, Over> {
        let mut outbox = Outbox::default();
        let mut result = None;
        while result.is_none() || !outbox.is_empty() {
            if result.is_none() && outbox.is_empty() {
                match tokio::time::timeout(HEARTBEAT, signals.recv()).await {
                    Ok(Some((_, first))) => {
                        if matches!(first, Signal::Log { .. } | Signal::Progress { .. }) {
                            tokio::time::sleep(GATHER).await;
                        }
                        take(first, &mut outbox, &mut result);
                    }
                    Ok(None) => {
                        let why = "the program's supervision panicked";
                        result = Some(Err(crate::run::fail(FailureClass::Platform, "Internal", why)));
                    }
                    Err(_) => {}
                }
            }
            while let Ok((_, next)) = signals.try_recv() {
                take(next, &mut outbox, &mut result);
            }
            if outbox.is_empty() && result.is_some() {
                break;
            }
            let body = serde_json::to_vec(&outbox.batch()).unwrap_or_default();
            let answer = self.link.call(Method::POST, "signals", body, CALL).await;
            // The program goes on while the pool is away, however long that takes.
            if self.judge(answer, result.is_some()).await?.is_some() {
                outbox.confirm();
            }
        }
        Ok(result.unwrap_or_else(|| Err(crate::run::fail(FailureClass::Platform, "Internal", "no result"))))
    }

    /// Sends the outcome until the pool says that it is durable.
    async fn deliver(&mut self, outcome: &Outcome) -> Result<(), Over> {
        let body = serde_json::to_vec(outcome).unwrap_or_default();
        loop {
            let answer = self.link.call(Method::PUT, "outcome", body.clone(), CALL).await;
            if let Some(receipt) = self.judge(answer, true).await?
                && serde_json::from_slice::<Receipt>(&receipt).is_ok_and(|receipt| receipt.durable)
            {
                return Ok(());
            }
        }
    }

    /// The body of an answer with success. After another answer, waits a moment and returns none.
    async fn judge(
        &mut self,
        answer: Result<Answer, String>,
        limited: bool,
    ) -> Result<Option<Vec<u8>>, Over> {
        let why = match answer {
            Ok(Answer { status: 200..300, body }) => {
                (self.last_answer, self.pause) = (Instant::now(), PAUSES.0);
                return Ok(Some(body));
            }
            Ok(Answer { status: 410, .. }) => return Err(Over::Fenced),
            Ok(Answer { status, body }) => format!("status {status}: {}", String::from_utf8_lossy(&body)),
            Err(why) => why,
        };
        if limited && self.last_answer.elapsed() > self.settings.deadline {
            return Err(Over::Deadline(why));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
        Ok(None)
    }
}

/// Says now and then that the agenda's folder is in use.
async fn touch(folder: PathBuf) -> Infallible {
    let clock = Env::system().clock;
    loop {
        // Without shared files, this folder belongs to the image, and stays as it is.
        let _ = File::open(&folder).and_then(|folder| folder.set_modified(clock.now().into()));
        tokio::time::sleep(TOUCH).await;
    }
}

/// Takes a signal in, and repeats log text for people who read the pod's log.
fn take(signal: Signal, outbox: &mut Outbox, result: &mut Option<Result<Value, Failure>>) {
    match signal {
        Signal::Exited(end) => *result = Some(end),
        signal => {
            if let Signal::Log { stream, text, .. } = &signal {
                // The pod's log may be gone.
                let _ = match *stream {
                    "stdout" => std::io::stdout().write_all(text.as_bytes()),
                    _ => std::io::stderr().write_all(text.as_bytes()),
                };
            }
            outbox.push(signal);
        }
    }
}

fn open(settings: &Settings, assignment: &Assignment) -> Result<Local, String> {
    let work = settings.work.join(RUN);
    let mut config = Config::new(work, settings.work.clone(), settings.environment.clone());
    config.grace = Duration::from_millis(assignment.grace_ms);
    config.output_limit = assignment.output_limit;
    config.log_limit = assignment.log_limit;
    // This machine is the image.
    config.allow_host = true;
    config.env = Env::system();
    Local::open(config).map_err(|error| error.to_string())
}

fn launch(assignment: Assignment) -> Launch {
    Launch {
        key: AttemptKey { run: 0, op: 0, attempt: assignment.attempt },
        agenda: assignment.agenda,
        epoch: assignment.epoch,
        customer: assignment.customer,
        cid: assignment.cid,
        operation: assignment.operation,
        operation_id: assignment.operation_id,
        kind: assignment.kind,
        spec: Some(Arc::new(assignment.spec)),
        fan_out: None,
        resources: Resources::default(),
        payload: assignment.payload,
    }
}

/// A program that the kernel killed for lack of memory is told from one that a signal killed.
fn explained(result: Result<Value, Failure>, memory: &Memory) -> Result<Value, Failure> {
    result.map_err(|failure| {
        let killed = failure.signal == Some(9) || failure.exit_code == Some(137);
        match memory.killed().filter(|_| killed && failure.code != "Stopped") {
            Some(why) => Failure {
                class: FailureClass::UserResource,
                code: "OutOfMemory".to_owned(),
                message: format!(
                    "the program was killed for lack of memory: {why}. Raise `resources.memory`."
                ),
                ..failure
            },
            None => failure,
        }
    })
}

/// Leaves a small outcome where the kubelet finds it, in case the pool never answers.
fn leave(settings: &Settings, outcome: &Outcome, masker: &Masker) {
    if let Some(text) = left(outcome, masker).filter(|text| text.len() <= TERMINATION_MESSAGE) {
        let _ = std::fs::write(&settings.termination_message, text);
    }
}

/// What may stay in the pod's status, as base64 of zlib of JSON. Every reader of pods reads it, so nothing with a secret
/// stays: the next attempt rather does without its last progress, and the pool without an outcome.
fn left(outcome: &Outcome, masker: &Masker) -> Option<String> {
    let is_open = |text: &str| matches!(masker.mask(text), Cow::Borrowed(_));
    let last_progress = outcome.last_progress.clone().filter(|text| is_open(text));
    let text = serde_json::to_string(&Outcome { last_progress, ..outcome.clone() }).ok()?;
    if !is_open(&text) {
        return None;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).ok()?;
    Some(STANDARD.encode(encoder.finish().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_secret_stays_in_the_status_of_the_pod() {
        let masker = Masker::new(&json!({"token": "s3cr3t-key"}), &["/token".to_owned()]);
        let left = |result, progress: &str| {
            let packed =
                left(&Outcome { result, last_progress: Some(progress.to_owned()), ended_at: None }, &masker)?;
            let (packed, mut text) = (STANDARD.decode(packed).unwrap(), String::new());
            flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
            Some(serde_json::from_str::<Outcome>(&text).unwrap())
        };
        let whole = left(Ok(json!({"x": 1})), "5").unwrap();
        assert_eq!((whole.result, whole.last_progress.as_deref()), (Ok(json!({"x": 1})), Some("5")));
        let part = left(Ok(json!({"x": 1})), "{\"at\": \"s3cr3t-key\"}").unwrap();
        assert_eq!((part.result, part.last_progress), (Ok(json!({"x": 1})), None));
        assert!(left(Ok(json!({"x": "s3cr3t-key"})), "5").is_none());
    }
}
