//! The way through a real server: submit, match, schedule, pull, execute, report.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use pop_compiler::agenda::{Agenda, Operation};
use pop_sdk::api::{AgendaState, Algorithm, Customer, Insight, OperationState, Pool, SubmitRequest};
use pop_sdk::client::{Client, RunError};
use serde_json::{Value, json};

use crate::support::{POP, Service, check_history, code, history, pop, stderr, stdout};

fn operation(name: &str, kind: &str, payload: Value) -> Operation {
    Operation { name: name.into(), kind: kind.into(), payload, ..Operation::default() }
}

fn sleeper(customer: &str, title: &str, seconds: f64) -> SubmitRequest {
    let agenda = Agenda {
        title: Some(title.into()),
        operations: vec![operation("work", "pop.sleep", json!({"seconds": seconds}))].into(),
        ..Agenda::default()
    };
    SubmitRequest { agenda: Some(agenda), customer: Some(customer.into()), ..SubmitRequest::default() }
}

#[tokio::test]
async fn twenty_customers_take_turns_on_four_slots() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pop.db");
    let server =
        Service::start(&["server", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()])
            .await;
    let client = server.client();
    client.put("pools", "four", &Pool { id: "four".into(), title: None }).await.unwrap();
    let insight = Insight {
        id: "turns".into(),
        pool: "four".into(),
        mappers: [("any".into(), vec![])].into(),
        algorithm: Algorithm::RoundRobin,
        queue_size: 1,
        ..Insight::default()
    };
    client.put("insights", "turns", &insight).await.unwrap();
    let customers: Vec<String> = (0..20).map(|i| format!("c{i:02}")).collect();
    for id in &customers {
        client
            .put("customers", id, &Customer { id: id.clone(), title: None, pool: "four".into() })
            .await
            .unwrap();
    }
    // All at once: customer 0 floods, the others have three agendas each. No pool works yet.
    let mut submitted = Vec::new();
    for (i, customer) in customers.iter().enumerate() {
        for n in 0..if i == 0 { 40 } else { 3 } {
            let client = client.clone();
            let request = sleeper(customer, &format!("{customer}/{n}"), 0.01);
            submitted
                .push(tokio::spawn(async move { client.submit(request).await.map(|r| r.id().to_owned()) }));
        }
    }
    let mut ids = Vec::new();
    for task in submitted {
        ids.push(task.await.unwrap().expect("accepted"));
    }
    let _pool =
        Service::start(&["pool", "--server", &server.address, "--pool", "four", "--slots", "4"]).await;

    let mut started: Vec<(jiff::Timestamp, String)> = Vec::new();
    for id in &ids {
        let run = client.attach(id).await.unwrap();
        let _ = history(&run).await;
        let view = client.get(id).await.unwrap();
        assert_eq!(view.state, AgendaState::Succeeded);
        started.push((view.started_at.unwrap(), view.customer));
    }
    started.sort();
    // The first round serves every customer before anybody's third agenda: the flood takes a slot more at the most, for
    // the one that was queued before the others had come, and one for each slot that starts side by side.
    let first: HashMap<&str, usize> =
        started.iter().take(20 + 1 + 4).fold(HashMap::new(), |mut seen, (_, c)| {
            *seen.entry(c.as_str()).or_default() += 1;
            seen
        });
    assert_eq!(first.len(), 20, "everybody had a turn: {first:?}");
    assert!(first.values().all(|n| *n <= 3), "nobody had more than its turns: {first:?}");
    let flood_last = started.iter().rposition(|(_, c)| c == "c00");
    assert_eq!(flood_last, Some(started.len() - 1), "the flood waits for the others");
}

async fn dev(folder: &tempfile::TempDir) -> Service {
    let database = folder.path().join("pop.db");
    let work = folder.path().join("work");
    let database = database.to_str().unwrap();
    Service::start(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--database",
        database,
        "--work-dir",
        work.to_str().unwrap(),
    ])
    .await
}

async fn submit(client: &Client, operations: Vec<Operation>, params: Value) -> pop_sdk::client::Run {
    let params = params.as_object().cloned().unwrap_or_default();
    client
        .submit_agenda(Agenda { operations: operations.into(), params, ..Agenda::default() })
        .await
        .expect("accepted")
}

#[tokio::test]
async fn a_typed_result_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = dev(&folder).await;
    let run = submit(
        &server.client(),
        vec![
            operation("a", "pop.transform", json!({"value": {"n": 20, "ok": true}})),
            operation("b", "pop.transform", json!({"value": ["@<a.out::/n>", "@<a.out::/ok>"]})),
        ],
        json!({"pop.result": {"pair": "@<b.out>"}}),
    )
    .await;
    let outputs: HashMap<String, (u32, bool)> = run.wait().await.unwrap();
    assert_eq!(outputs["pair"], (20, true));
    let events = history(&run).await;
    check_history(&events);
    assert_eq!(events.last().map(|e| e.state), Some(AgendaState::Succeeded));
}

#[tokio::test]
async fn a_cancel_reaches_a_running_program() {
    let folder = tempfile::tempdir().unwrap();
    let server = dev(&folder).await;
    let client = server.client();
    // It says that it listens for the signal, and waits for it.
    let script = r#"trap 'echo saved; exit 0' TERM; echo 1 >"$POP_PROGRESS_FILE"; sleep 600 & wait"#;
    let command = ["sh", "-c", script];
    let params = json!({"pop.types": {"loop": {"command": command}}});
    let run = submit(
        &client,
        vec![
            operation("loop", "loop", json!({})),
            operation("next", "pop.transform", json!({"value": "@<loop.out>"})),
        ],
        params,
    )
    .await;
    let mut events = std::pin::pin!(run.watch());
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        if event.operation.is_some_and(|o| o.state == OperationState::Executing && o.percent >= 1.0) {
            run.cancel().await.unwrap();
        }
    }
    assert!(matches!(run.wait::<Value>().await, Err(RunError::Cancelled)));
    let view = client.get(run.id()).await.unwrap();
    assert_eq!(view.state, AgendaState::Cancelled);
    let states: Vec<OperationState> = view.operations.iter().map(|o| o.state).collect();
    assert_eq!(states, [OperationState::Cancelled, OperationState::Cancelled]);
    let logs = client.logs(run.id(), None, None).await.unwrap();
    assert!(logs.items.iter().any(|c| c.text.contains("saved")), "it had time to save: {logs:?}");
}

#[tokio::test]
async fn the_command_line_submits_watches_shows_and_lists() {
    let folder = tempfile::tempdir().unwrap();
    let server = dev(&folder).await;
    let at = server.address.as_str();
    let submitted = pop(&[
        "submit",
        "examples/wordcount/wordcount.pop.toml",
        "--watch",
        "--server",
        at,
        "--customer",
        "acme",
    ])
    .await;
    assert_eq!(code(&submitted), Some(0), "{}", stderr(&submitted));
    let outputs: Value = serde_json::from_str(&stdout(&submitted)).unwrap();
    assert_eq!(outputs["top"].as_array().map(Vec::len), Some(10));
    let id = stderr(&submitted).lines().next().unwrap_or_default().to_owned();
    let shown = pop(&["get", &id, "--json", "--server", at]).await;
    let view: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    assert_eq!((&view["state"], &view["outputs"]), (&json!("succeeded"), &outputs));
    let listed = pop(&["list", "--customer", "acme", "--server", at]).await;
    assert!(stdout(&listed).contains(&id), "{}", stdout(&listed));
    let none = pop(&["list", "--customer", "other", "--server", at]).await;
    assert_eq!(stdout(&none), "");
    let cancelled = pop(&["cancel", &id, "--server", at]).await;
    assert!(stdout(&cancelled).contains("succeeded"), "{}", stdout(&cancelled));
}

#[tokio::test]
async fn one_key_makes_one_agenda() {
    let folder = tempfile::tempdir().unwrap();
    let server = dev(&folder).await;
    let client = server.client();
    let request = SubmitRequest { idempotency_key: Some("k".into()), ..sleeper("acme", "once", 0.0) };
    let (a, b) = tokio::join!(client.submit(request.clone()), client.submit(request));
    assert_eq!(a.unwrap().id(), b.unwrap().id());
}

#[tokio::test]
async fn a_machine_without_certificate_authorities_reaches_servers_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let service = dev(&folder).await;
    let (none, nowhere) = (folder.path().join("none.pem"), folder.path().join("nowhere"));
    std::fs::write(&none, "").unwrap();
    let list = async |address: &str| {
        let mut command = tokio::process::Command::new(POP);
        command.args(["list", "--server", address]).env("SSL_CERT_FILE", &none).env("SSL_CERT_DIR", &nowhere);
        command.output().await.unwrap()
    };
    let output = list(&service.address).await;
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    let output = list("https://127.0.0.1:1").await;
    assert_eq!(code(&output), Some(2));
    assert!(stderr(&output).contains("certificate"), "{}", stderr(&output));
    service.stop().await;
}
