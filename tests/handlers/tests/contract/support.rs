//! Starts attempts through the local runtime, and collects their results.

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pop_compiler::agenda::RunSpec;
use pop_sdk::api::Failure;
use pop_server::run::Resources;
use pop_server::runtime::local::{Config, Local};
use pop_server::runtime::{AttemptKey, Launch, Reporter, Runtime as _, Signal, Stop};
use serde_json::Value;
use tokio::sync::mpsc;

pub(crate) const OPS: &str = env!("CARGO_BIN_EXE_contract-ops");

/// A pool's local runtime with a folder of its own.
pub(crate) struct Pool {
    pub(crate) work: tempfile::TempDir,
    runtime: Local,
    /// The program's command line.
    command: Vec<String>,
}

/// A gate at which a program waits for the test.
pub(crate) struct Gate(Mutex<Option<TcpListener>>, pub(crate) String);

impl Gate {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self(Mutex::new(Some(listener)), address)
    }

    /// Opens the gate for a program that waits, now or later. The test accepts the connection before it closes the
    /// port. A port that closes during a handshake may leave the program waiting for ever, because Linux drops the
    /// handshake's last step silently.
    pub(crate) fn open(&self) {
        if let Some(listener) = self.0.lock().unwrap().take() {
            std::thread::spawn(move || listener.accept());
        }
    }
}

/// The result and the progress of one attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) outcome: Result<Value, Failure>,
    pub(crate) progress: Vec<(f64, Option<String>)>,
}

impl Pool {
    pub(crate) fn new() -> Self {
        let work = tempfile::tempdir().unwrap();
        // Only what starts programs: where they are found.
        #[expect(clippy::disallowed_methods, reason = "tests hand on what they were started with")]
        let path = ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
        let mut config = Config::new(work.path().to_owned(), work.path().to_owned(), vec![path]);
        config.grace = Duration::from_mins(1); // a slow machine must not turn "stopped" into "killed"
        Self { runtime: Local::open(config).unwrap(), work, command: vec![OPS.into()] }
    }

    /// A pool whose programs cannot reach its files, as on another machine or in a container.
    pub(crate) fn without_files() -> Self {
        let words = ["PAYLOAD", "OUTPUT", "PROGRESS", "FAILURE", "LAST_PROGRESS"];
        let forget = words.iter().flat_map(|word| ["-u".into(), format!("POP_{word}_FILE")]);
        let command = ["env".into()].into_iter().chain(forget).chain([OPS.into()]).collect();
        Self { command, ..Self::new() }
    }

    /// A pool that runs a shell script for every type.
    pub(crate) fn of_script(script: &str) -> Self {
        Self { command: ["bash", "-euc", script].map(str::to_owned).into(), ..Self::new() }
    }

    /// Runs an attempt to its end.
    pub(crate) async fn run(&self, kind: &str, attempt: u32, payload: Value) -> Attempt {
        self.run_and_stop(kind, attempt, payload, |_| false).await
    }

    /// Runs an attempt, and stops the attempt at a chosen signal.
    pub(crate) async fn run_and_stop(
        &self,
        kind: &str,
        attempt: u32,
        payload: Value,
        stop_at: impl Fn(&Signal) -> bool,
    ) -> Attempt {
        let key = AttemptKey { run: 0, op: 0, attempt };
        let (out, mut signals) = mpsc::unbounded_channel();
        let stop = Stop::default();
        let spec = RunSpec { command: self.command.clone(), ..RunSpec::default() };
        let launch = Launch {
            fan_out: None,
            key,
            agenda: "ag_1".into(),
            epoch: 1,
            resources: Resources::default(),
            customer: Some("acme".into()),
            cid: None,
            operation: "only".into(),
            operation_id: Some("op-7".into()),
            kind: kind.into(),
            spec: Some(Arc::new(spec)),
            payload,
        };
        self.runtime.launch(launch, Reporter::new(key, out), stop.clone());
        let mut progress = Vec::new();
        loop {
            let (_, signal) = signals.recv().await.expect("an attempt says that it has ended");
            if stop_at(&signal) {
                stop.terminate();
            }
            match signal {
                Signal::Waiting { .. } | Signal::Started | Signal::Moments(_) | Signal::Log { .. } => {}
                Signal::Progress { percent, message } => progress.push((percent, message)),
                Signal::Exited(outcome) => return Attempt { outcome, progress },
            }
        }
    }

    /// Every file below the work folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.work.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                if entry.path().is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
            }
        }
        let mut names: Vec<_> = found.iter().map(|p| relative(p, self.work.path())).collect();
        names.sort();
        names
    }
}

fn relative(path: &Path, to: &Path) -> String {
    path.strip_prefix(to).unwrap_or(path).display().to_string()
}
