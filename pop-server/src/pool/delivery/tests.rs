//! A pool's reaction to a real server's refusals.

use std::collections::HashMap;
use std::sync::Arc;

use pop_sdk::api::{AgendaEnd, AgendaState, FailureClass, LogChunk, Made, OperationView, PullRequest};
use pop_sdk::client::{Client, RunError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::env::SystemClock;
use crate::pool::port::Identity;
use crate::pool::port::http::HttpPort;
use crate::pool::{agent, executor};
use crate::runtime::local::{self, Local};
use crate::serve::{self, Config, Server};

/// Largest request of the test's server, in bytes.
const LIMIT: usize = 32 << 10;

async fn serve() -> (Server, Client, CancellationToken) {
    let shutdown = CancellationToken::new();
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), body_limit: LIMIT, ..Config::default() };
    let server = serve::start(config, shutdown.clone()).await.unwrap();
    let client = Client::connect(&format!("http://{}", server.address)).unwrap();
    (server, client, shutdown)
}

fn port(client: &Client, pool: &str) -> Arc<HttpPort> {
    let identity = Identity { pool: pool.into(), worker: "w".into(), instance: "i".into() };
    Arc::new(HttpPort::new(client.address(), identity).unwrap())
}

async fn delivered(client: &Client, pool: &str, reports: Vec<Report>) -> Vec<Answer> {
    deliver(port(client, pool), Duration::from_secs(30), reports).await
}

/// An operation that returns `output`.
fn give(name: &str, output: Value) -> Value {
    json!({ "name": name, "type": "pop.sleep", "payload": { "seconds": 0, "output": output } })
}

fn agenda(operations: Value) -> pop_compiler::agenda::Agenda {
    serde_json::from_value(json!({ "operations": operations })).unwrap()
}

fn succeeded(name: &str, output: Value) -> OperationView {
    let state = OperationState::Succeeded;
    let output = Some(output);
    OperationView { name: name.into(), state, attempt: 1, percent: 100.0, output, ..OperationView::default() }
}

/// Runs a pool for the server until `stop`.
fn work(
    client: &Client,
    folder: &tempfile::TempDir,
    stop: &CancellationToken,
) -> tokio::task::JoinHandle<Result<(), agent::Error>> {
    let executor = executor::Config {
        time_scale: 1.0,
        report_limit: Duration::from_secs(30),
        types: HashMap::new(),
        clock: Arc::new(SystemClock),
    };
    let config = agent::Config {
        instance: "i".into(),
        insight: None,
        slots: 4,
        grace: Duration::from_secs(5),
        executor,
    };
    let runtime = local::Config::new(folder.path().into(), folder.path().into(), Vec::new());
    let (calls, reports) = (port(client, "default"), port(client, "default"));
    let now = CancellationToken::new();
    tokio::spawn(agent::work(
        config,
        calls,
        reports,
        Arc::new(Local::open(runtime).unwrap()),
        stop.clone(),
        now,
    ))
}

#[tokio::test]
async fn one_refused_report_does_not_keep_the_others_back() {
    let (server, client, shutdown) = serve().await;
    for _ in 0..5 {
        client.submit_agenda(agenda(json!([give("a", json!(1))]))).await.unwrap();
    }
    let pull = PullRequest {
        worker: "w".into(),
        instance: "i".into(),
        insight: None,
        count: 5,
        wait_ms: 0,
        request: "r".into(),
    };
    let leases = client.pull("default", &pull).await.unwrap().leases;
    let report = |at: usize, name: &str| Report {
        id: leases[at].id.clone(),
        epoch: 1,
        operations: vec![succeeded(name, json!(at))],
        ..Report::default()
    };
    let lost = Report { epoch: 7, ..report(3, "a") };
    let reports = vec![report(0, "a"), report(1, "b"), report(2, "a"), lost, report(4, "a")];
    let answers = delivered(&client, "default", reports).await;
    let Answer::Refused(reason) = &answers[1] else { panic!("{answers:?}") };
    assert!(reason.contains("has no operation `b`"), "{reason}");
    let others: Vec<_> =
        answers.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, a)| a.clone()).collect();
    assert_eq!(others, [Answer::Accepted, Answer::Accepted, Answer::Stale, Answer::Accepted]);
    for (lease, state) in leases.iter().zip(["succeeded", "waiting", "succeeded", "waiting", "succeeded"]) {
        assert_eq!(client.get(&lease.id).await.unwrap().operations[0].state.as_str(), state);
    }
    shutdown.cancel();
    server.join().await.unwrap();
}

#[tokio::test]
async fn a_pool_that_the_server_does_not_know_has_no_leases() {
    let (server, client, shutdown) = serve().await;
    let reports = vec![Report { id: "ag_1".into(), epoch: 1, ..Report::default() }; 3];
    let answers = delivered(&client, "nowhere", reports).await;
    assert_eq!(answers, [Answer::Stale, Answer::Stale, Answer::Stale]);
    shutdown.cancel();
    server.join().await.unwrap();
}

#[tokio::test]
async fn what_is_too_large_together_arrives_in_parts() {
    let (server, client, shutdown) = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let large = |c: &str| Value::from(c.repeat(LIMIT * 3 / 4));
    let run =
        client.submit_agenda(agenda(json!([give("a", large("a")), give("b", json!("@<a.out>"))]))).await;
    let run = run.unwrap();
    let stop = CancellationToken::new();
    let pool = work(&client, &folder, &stop);
    run.wait::<Value>().await.unwrap();
    let view = client.get(run.id()).await.unwrap();
    assert_eq!(view.operations[1].output, Some(large("a")));
    stop.cancel();
    pool.await.unwrap().unwrap();
    shutdown.cancel();
    server.join().await.unwrap();
}

#[tokio::test]
async fn an_output_that_is_too_large_fails_its_operation_and_nothing_else() {
    let (server, client, shutdown) = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let text = "x".repeat(LIMIT / 2);
    // Each report fits except the report of `b`, which contains the text three times.
    let operations = json!([
        give("a", json!(text)),
        give("b", json!(["@<a.out>", "@<a.out>", "@<a.out>"])),
        give("c", json!("@<b.out>")),
        give("d", json!(2)),
    ]);
    let bad = client.submit_agenda(agenda(operations)).await.unwrap();
    let good = client.submit_agenda(agenda(json!([give("a", json!(1))]))).await.unwrap();
    let stop = CancellationToken::new();
    let pool = work(&client, &folder, &stop);
    let failed = bad.wait::<Value>().await;
    let Err(RunError::Failed(failure)) = failed else { panic!("{failed:?}") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::User, "OutputTooLarge"));
    assert_eq!(failure.operation.as_deref(), Some("b"));
    good.wait::<Value>().await.unwrap();
    let view = client.get(bad.id()).await.unwrap();
    let states: Vec<_> = view.operations.iter().map(|o| o.state.as_str()).collect();
    assert_eq!((view.epoch, states), (1, vec!["succeeded", "failed", "skipped", "succeeded"]));
    stop.cancel();
    pool.await.unwrap().unwrap();
    shutdown.cancel();
    server.join().await.unwrap();
}

#[test]
fn halves_say_what_the_whole_said_in_its_order() {
    let chunk = |offset| LogChunk {
        operation: "a".into(),
        attempt: 1,
        stream: "stdout".into(),
        offset,
        text: "x".into(),
    };
    let made = |name: &str| Made { generator: name.into(), operations: Vec::new() };
    let names = ["a", "b", "c"];
    let end = AgendaEnd { state: AgendaState::Succeeded, outputs: None, failure: None };
    let whole = Report {
        id: "ag".into(),
        epoch: 3,
        operations: names.iter().map(|name| succeeded(name, json!(1))).collect(),
        made: names.map(made).into(),
        logs: (0..3).map(chunk).collect(),
        end: Some(end.clone()),
    };
    let (mut smallest, mut waiting) = (Vec::new(), vec![whole.clone()]);
    while let Some(report) = waiting.pop() {
        match halves(report) {
            (first, Some(second)) => waiting.extend([second, first]),
            (report, None) => smallest.push(report),
        }
    }
    assert_eq!(smallest.len(), 7, "three operations, three pieces of log, the end: {smallest:?}");
    let mut joined = Report { id: "ag".into(), epoch: 3, ..Report::default() };
    for part in smallest {
        assert_eq!((part.id.as_str(), part.epoch), ("ag", 3));
        let own = |m: &Made| part.operations.iter().any(|o| o.name == m.generator);
        assert!(part.made.iter().all(own), "what a generator made comes with its success");
        assert!(joined.end.is_none(), "the end is the last");
        joined.operations.extend(part.operations);
        joined.made.extend(part.made);
        joined.logs.extend(part.logs);
        joined.end = part.end;
    }
    assert_eq!(joined, whole);
}
