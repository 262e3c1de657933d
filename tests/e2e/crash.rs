//! kill -9 at any moment: the server with its pool, the pool alone, the server alone. No agenda is lost, and no
//! committed operation runs again.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use futures_util::StreamExt as _;
use pop_compiler::agenda::{Agenda, AgendaTemplate, Operation, keys};
use pop_sdk::api::{AgendaState, FailureClass, OperationState};
use pop_sdk::client::{Run, RunError};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{POP, Service, check_history, code, data, history, pop, stderr};

/// Pseudo-random numbers, equal in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Waits for `more` further events or the end of the run; true at the end.
async fn after_events(run: &Run, seen: &mut u64, more: u64) -> bool {
    let mut events = std::pin::pin!(run.watch());
    let target = *seen + more;
    while let Some(event) = events.next().await {
        let event = event.expect("the history can be read");
        *seen = event.seq;
        if event.operation.is_none() && event.state.is_terminal() {
            return true;
        }
        if event.seq >= target {
            return false;
        }
    }
    true
}

async fn check_end(run: &Run, total: usize) {
    let events = history(run).await;
    check_history(&events);
    let view = run.view().await.unwrap();
    assert_eq!(view.state, AgendaState::Succeeded);
    assert_eq!(view.operations.len(), total);
    assert!(view.operations.iter().all(|o| o.state == OperationState::Succeeded));
}

/// A layered agenda: each operation reads two operations of the layer before.
fn layers(width: usize, depth: usize, seconds: f64) -> Agenda {
    let mut operations = Vec::new();
    for layer in 0..depth {
        for i in 0..width {
            let mut payload = json!({"seconds": seconds, "output": {"v": layer * width + i}});
            if layer > 0 {
                let up = |n: usize| format!("@<o{}_{}.out::/v>", layer - 1, n % width);
                payload["inputs"] = json!([up(i), up(i + 1)]);
            }
            operations.push(Operation {
                name: format!("o{layer}_{i}"),
                kind: "pop.sleep".into(),
                payload,
                ..Operation::default()
            });
        }
    }
    Agenda { operations: operations.into(), ..Agenda::default() }
}

#[tokio::test]
async fn a_recorded_workflow_survives_ten_kills_of_everything() {
    let Some(recorded) = data("workflows/montage-chameleon-2mass-015d-001.json") else { return };
    let folder = tempfile::tempdir().unwrap();
    let flow = folder.path().join("montage.pop.toml");
    let imported =
        pop(&["import", "wfcommons", recorded.to_str().unwrap(), "-o", flow.to_str().unwrap()]).await;
    assert_eq!(code(&imported), Some(0), "{}", stderr(&imported));
    let built = pop(&["build", flow.to_str().unwrap()]).await;
    let agenda: Agenda = serde_json::from_slice(&built.stdout).expect("an agenda");
    assert_eq!(agenda.operations.len(), 310);
    kill_ten_times(&folder, agenda, 310, "0.05", 55).await;
}

#[tokio::test]
async fn a_layered_workflow_survives_ten_kills_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    kill_ten_times(&folder, layers(20, 10, 1.0), 200, "0.03", 30).await;
}

/// A fan-out over an operation's output, and a second fan-out over the first one's outputs.
#[tokio::test]
async fn fan_outs_over_outputs_survive_ten_kills_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let parts: Vec<usize> = (0..60).collect();
    let sleep = |output: Value| json!({"seconds": 1.0, "output": output});
    let template: AgendaTemplate = serde_json::from_value(json!({"agenda": {
        "params": {"pop.result": {"sum": "@<join.out>", "third": "@<again.2.out::/v>"}},
        "operations": [
            {"name": "list", "type": "pop.sleep", "payload": sleep(json!(parts))},
            {"name": "part", "type": "pop.sleep", "payload": sleep(json!({"v": ["@<pop.each>", "@<pop.each_index>"]})),
             "params": {"pop.each": "@<list.out>"}},
            {"name": "again", "type": "pop.sleep", "payload": sleep(json!({"v": "@<pop.each::/0>"})),
             "params": {"pop.each": "@<part.*.out::/v>"}},
            {"name": "join", "type": "pop.transform", "payload": {"value": "@<again.*.out::/v>"}, "params": {"dependsOn": "part"}}]}}))
    .unwrap();
    let agenda = template.expand(&json!({})).unwrap();
    let run = kill_ten_times(&folder, agenda, 2 + 61 + 61, "0.03", 30).await;
    let outputs = run.0.view().await.unwrap().outputs.unwrap();
    assert_eq!(outputs, json!({"sum": parts, "third": 2}));
}

/// Kills the service ten times during the run. Returns the ended run, and the last service.
async fn kill_ten_times(
    folder: &tempfile::TempDir,
    agenda: Agenda,
    total: usize,
    scale: &str,
    stride: u64,
) -> (Run, Service) {
    let database = folder.path().join("pop.db");
    let (database, work) = (database.to_str().unwrap(), folder.path().join("work"));
    let work = work.to_str().unwrap();
    let start = async |listen: &str| {
        let arguments =
            ["dev", "--listen", listen, "--database", database, "--work-dir", work, "--time-scale", scale];
        Service::start(&arguments).await
    };
    let mut server = start("127.0.0.1:0").await;
    let listen = server.listen().to_owned();
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    let mut numbers = Numbers(2026);
    let mut seen = 0;
    let mut kills = 0;
    for _ in 0..10 {
        let more = 1 + numbers.below(stride);
        if after_events(&run, &mut seen, more).await {
            break;
        }
        server.kill().await;
        kills += 1;
        server = start(&listen).await;
    }
    assert_eq!(kills, 10, "it ended before it was killed ten times");
    check_end(&run, total).await;
    (run, server)
}

#[tokio::test]
async fn a_watch_goes_on_through_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (database, work) = (folder.path().join("pop.db"), folder.path().join("work"));
    let start = async |listen: &str| {
        let (database, work) = (database.to_str().unwrap(), work.to_str().unwrap());
        let arguments =
            ["dev", "--listen", listen, "--database", database, "--work-dir", work, "--time-scale", "0.03"];
        Service::start(&arguments).await
    };
    let mut server = Some(start("127.0.0.1:0").await);
    let listen = server.as_ref().map(|s| s.listen().to_owned()).unwrap_or_default();
    let run = server.as_ref().unwrap().client().submit_agenda(layers(5, 8, 1.0)).await.expect("accepted");
    let mut events = std::pin::pin!(run.watch());
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        seen.push(event.expect("the stream goes on"));
        if seen.len() == 15
            && let Some(server) = server.take()
        {
            server.kill().await;
        }
        if server.is_none() {
            server = Some(start(&listen).await);
        }
    }
    check_history(&seen);
    assert_eq!(seen.last().map(|e| e.state), Some(AgendaState::Succeeded));
    assert_eq!(seen, history(&run).await, "what was watched is what is stored");
}

#[tokio::test]
async fn the_pool_alone_and_the_server_alone_may_die() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pop.db");
    let work = folder.path().join("work");
    let serve = async |listen: &str| {
        Service::start(&["server", "--listen", listen, "--database", database.to_str().unwrap()]).await
    };
    let mut server = serve("127.0.0.1:0").await;
    let (listen, address) = (server.listen().to_owned(), server.address.clone());
    let pool = async || {
        let work = work.to_str().unwrap();
        Service::start(&["pool", "--server", &address, "--work-dir", work, "--time-scale", "0.05"]).await
    };
    let mut agent = pool().await;
    let agenda = layers(10, 8, 1.0);
    let total = agenda.operations.len();
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    let mut seen = 0;
    assert!(!after_events(&run, &mut seen, 20).await);
    agent.kill().await;
    agent = pool().await;
    assert!(!after_events(&run, &mut seen, 20).await);
    server.kill().await;
    server = serve(&listen).await;
    assert!(!after_events(&run, &mut seen, 10).await);
    check_end(&run, total).await;
    drop((server, agent));
}

#[tokio::test]
async fn a_program_that_outlives_its_pool_is_ended_before_its_operation_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pop.db");
    let (work, mark) = (folder.path().join("work"), folder.path().join("marks"));
    let start = async |listen: &str| {
        let (database, work) = (database.to_str().unwrap(), work.to_str().unwrap());
        Service::start(&["dev", "--listen", listen, "--database", database, "--work-dir", work]).await
    };
    let server = start("127.0.0.1:0").await;
    let listen = server.listen().to_owned();
    // The first attempt never ends by itself; the second sees that no other one lives, and ends.
    let script = "echo $$ >> \"$1\"; if [ \"$POP_ATTEMPT\" = 1 ]; then exec sleep 600; fi; \
                  status=/proc/$(head -n 1 \"$1\")/status; [ ! -e $status ] || grep -q '^State:.*zombie' $status";
    let params = json!({keys::TYPES: {"t": {"command": ["sh", "-c", script, "t", mark.to_str().unwrap()]}}});
    let agenda = Agenda {
        operations: vec![Operation { name: "only".into(), kind: "t".into(), ..Operation::default() }].into(),
        params: params.as_object().cloned().unwrap_or_default(),
        ..Agenda::default()
    };
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    let mut events = std::pin::pin!(run.watch());
    while let Some(event) = events.next().await {
        if event.unwrap().operation.is_some_and(|o| o.state == OperationState::Executing) {
            break;
        }
    }
    server.kill().await;
    let _server = start(&listen).await;
    let _: Value = run.wait().await.expect("the second attempt succeeds");
    assert_eq!(run.view().await.unwrap().operations[0].attempt, 2);
}

#[tokio::test]
async fn an_agenda_that_kills_its_pool_each_time_is_not_handed_out_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pop.db");
    let server =
        Service::start(&["server", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()])
            .await;
    let client = server.client();
    let params =
        json!({keys::TYPES: {"t": {"command": ["sh", "-c", "kill -9 $PPID"]}}, keys::MAXIMUM_ATTEMPTS: 2});
    let agenda = Agenda {
        operations: vec![Operation { name: "only".into(), kind: "t".into(), ..Operation::default() }].into(),
        params: params.as_object().cloned().unwrap_or_default(),
        ..Agenda::default()
    };
    let bad = client.submit_agenda(agenda).await.expect("accepted");
    let work = folder.path().join("work");
    let pool = || {
        let arguments =
            ["pool", "--server", &server.address, "--name", "p", "--work-dir", work.to_str().unwrap()];
        Command::new(POP)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    for _ in 0..2 {
        assert_eq!(pool().wait().await.unwrap().signal(), Some(9), "the program ends its pool");
    }
    // The third start is told that the agenda has ended, and works for others.
    let _third = pool();
    let Err(RunError::Failed(failure)) = bad.wait::<Value>().await else { panic!("it can't succeed") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Infra, "AttemptsExhausted"));
    let last = history(&bad).await.pop().expect("an event");
    assert_eq!(
        (last.state, last.reason.as_deref()),
        (AgendaState::Failed, Some("returned: worker `p` has restarted"))
    );
    let log = Operation {
        name: "a".into(),
        kind: "pop.log".into(),
        payload: json!({"message": "hi"}),
        ..Operation::default()
    };
    let good = Agenda { operations: vec![log].into(), ..Agenda::default() };
    let _: Value = client.submit_agenda(good).await.unwrap().wait().await.expect("the pool works");
}
