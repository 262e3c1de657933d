//! Pools under stress: many programs, pauses, gaps in the network, restarts. The tests take minutes, so they run only
//! with `POP_SLOW`, and print a note when they skip. Figures are printed.

mod gaps;
mod many;
mod network;
mod restarts;
#[path = "../e2e/support.rs"]
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use pop_compiler::agenda::Agenda;
use pop_sdk::api::{AgendaView, OperationState};
use pop_sdk::client::Run;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use support::{POP, Service};

/// Whether the slow tests run.
fn wanted() -> bool {
    let wanted = std::env::var_os("POP_SLOW").is_some();
    if !wanted {
        println!("skipped: POP_SLOW is not set");
    }
    wanted
}

/// A server without a pool.
async fn server(folder: &Path, lease: &str) -> Service {
    let database = folder.join("pop.db");
    let database = database.to_str().expect("UTF-8");
    Service::start(&["server", "--listen", "127.0.0.1:0", "--database", database, "--lease", lease]).await
}

/// A pool of the server, with a work folder of its own; killed when dropped.
fn pool(folder: &Path, server: &str, name: &str) -> Child {
    Command::new(POP)
        .args(["pool", "--server", server, "--name", name, "--grace", "500ms", "--work-dir"])
        .arg(folder.join(name))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join(format!("{name}.log"))).expect("a log"))
        .kill_on_drop(true)
        .spawn()
        .expect("pop starts")
}

/// Sends a signal to the process alone, not to its children.
async fn signal(child: &Child, name: &str) {
    let id = child.id().expect("it runs").to_string();
    let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await.expect("kill starts");
    assert!(sent.success());
}

/// An agenda of `count` independent operations with this script.
fn scripts(count: usize, script: &str, params: Value) -> Agenda {
    let operations: Vec<Value> =
        (0..count).map(|n| json!({ "name": format!("o{n}"), "type": "t.script" })).collect();
    let mut all = json!({ "pop.types": { "t.script": { "command": ["sh", "-c", script] } } });
    for (key, value) in params.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    serde_json::from_value(json!({ "params": all, "operations": operations })).expect("an agenda")
}

/// A script that works for a while, and records a second copy that runs at the same time.
fn once_at_a_time(folder: &Path, seconds: &str) -> String {
    let folder = folder.display();
    format!(
        "exec 9>{folder}/$OPERATION_NAME.lock; flock -n 9 || echo $OPERATION_NAME >>{folder}/twice; \
         echo $OPERATION_NAME $POP_ATTEMPT >>{folder}/starts; sleep {seconds} 9>&-"
    )
}

/// Checks a run whose operations are [`once_at_a_time`].
fn check_once(folder: &Path, view: &AgendaView) {
    assert_eq!(view.state.as_str(), "succeeded", "{:?}", view.failure);
    assert!(view.operations.iter().all(|o| o.state == OperationState::Succeeded));
    let twice = std::fs::read_to_string(folder.join("twice")).unwrap_or_default();
    assert_eq!(twice, "", "these ran twice at the same time");
    let starts = std::fs::read_to_string(folder.join("starts")).expect("starts");
    let mut lines: Vec<&str> = starts.lines().collect();
    let all = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), all, "an attempt's number was given twice");
    println!("{all} starts for {} operations, handed out {} times", view.operations.len(), view.epoch);
}

/// Waits until `count` operations have succeeded.
async fn until_succeeded(run: &Run, count: u32) {
    use futures_util::StreamExt as _;
    let mut events = std::pin::pin!(run.watch());
    let mut seen = 0;
    while seen < count {
        let event = events.next().await.expect("it goes on").expect("the history can be read");
        seen += u32::from(event.operation.is_some_and(|o| o.state == OperationState::Succeeded));
    }
}

/// Lets time pass. Only for tests of time itself: a lease runs out, a network is away.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
