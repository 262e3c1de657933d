//! Starts `pop`, waits for its output, and finds test data.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use pop_sdk::api::{AgendaView, Event, OperationState};
use pop_sdk::client::{Client, Run};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

pub(crate) const POP: &str = env!("CARGO_BIN_EXE_pop");

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crates lie in the workspace").to_path_buf()
}

/// A file or folder of the recorded data, if this machine has it.
#[expect(clippy::disallowed_methods, reason = "tests find their data through the environment")]
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let Ok(folder) = std::env::var("POP_DATA") else {
        println!("skipped: POP_DATA is not set");
        return None;
    };
    Some(Path::new(&folder).join(path))
}

/// Runs `pop` to its end.
pub(crate) async fn pop<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    Command::new(POP)
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("pop starts")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// A long-running `pop` command; killed when dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: String,
}

impl Service {
    /// Starts `pop` and waits for its first line, which contains its address.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(POP)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("pop starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = lines.next_line().await.expect("readable").expect("a first line");
        let address = line.split_whitespace().find(|w| w.starts_with("http://")).expect("an address");
        Self { child, address: address.trim_end_matches(',').to_owned() }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.address).expect("a good address")
    }

    /// The address `host:port`, for a second start at the same place.
    pub(crate) fn listen(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// Sends a signal to the process alone, not to its children.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await.expect("kill starts");
        assert!(sent.success());
    }

    /// Stops the service regularly, and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.signal("TERM").await;
        assert!(self.child.wait().await.expect("it ends").success());
    }

    /// Kills the service (kill -9).
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }
}

/// The whole history of a run, from the first event.
pub(crate) async fn history(run: &Run) -> Vec<Event> {
    use futures_util::StreamExt as _;
    run.watch().map(|event| event.expect("the history can be read")).collect().await
}

/// Checks the rules of every history. Events are numbered without gaps. The percent falls only when operations are
/// added, each once, or the agenda is rerun. No event follows an operation's success.
pub(crate) fn check_history(events: &[Event]) {
    let mut done = std::collections::HashSet::new();
    let mut added = std::collections::HashSet::new();
    let mut percent = 0.0;
    for (i, event) in events.iter().enumerate() {
        assert_eq!(event.seq, i as u64 + 1, "events are numbered without gaps");
        if let Some(again) = &event.again {
            for name in again.reset.iter().chain(&again.removed) {
                done.remove(name);
            }
            added.retain(|name| !again.removed.contains(name));
        }
        let may_fall = event.added.is_some() || event.again.is_some();
        assert!(may_fall || event.percent >= percent, "percent fell from {percent} to {}", event.percent);
        percent = event.percent;
        for operation in event.added.iter().flat_map(|added| &added.operations) {
            assert!(added.insert(operation.name.clone()), "{} was added twice", operation.name);
        }
        if let Some(operation) = &event.operation {
            assert!(!done.contains(&operation.name), "{} changed after it had succeeded", operation.name);
            if operation.state == OperationState::Succeeded {
                done.insert(operation.name.clone());
            }
        }
    }
}

/// Checks that each operation started after the end of all operations that it waits for.
pub(crate) fn check_order(view: &AgendaView, waits_for: &[(String, String)]) {
    let by_name: std::collections::HashMap<&str, _> =
        view.operations.iter().map(|o| (o.name.as_str(), o)).collect();
    for (from, to) in waits_for {
        let (from, to) = (by_name[from.as_str()], by_name[to.as_str()]);
        let (ended, started) = (from.ended_at.expect("it ended"), to.started_at.expect("it started"));
        assert!(ended <= started, "{} started at {started}, before {} ended at {ended}", to.name, from.name);
    }
}

/// The largest number of operations that ran at the same time.
pub(crate) fn most_at_once(view: &AgendaView) -> usize {
    let mut marks: Vec<(jiff::Timestamp, i32)> = Vec::new();
    for operation in &view.operations {
        if let (Some(start), Some(end)) = (operation.started_at, operation.ended_at) {
            marks.push((start, 1));
            marks.push((end, -1));
        }
    }
    marks.sort_unstable();
    let (mut now, mut most) = (0, 0);
    for (_, change) in marks {
        now += change;
        most = most.max(now);
    }
    usize::try_from(most).unwrap_or(0)
}
