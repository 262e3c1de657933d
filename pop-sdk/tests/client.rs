//! The client against a server that breaks connections, refuses and restarts.

#[path = "support/server.rs"]
mod server;

use futures_util::StreamExt as _;
use pop_sdk::api::{AgendaState, AgendaView, Event, Failure, FailureClass, PullRequest, SubmitRequest};
use pop_sdk::client::{Client, Error, RunError};
use serde_json::{Value, json};
use server::{Server, answer, broken_stream, stream};

fn view(state: AgendaState) -> AgendaView {
    serde_json::from_value(json!({
        "id": "ag_1", "customer": "default", "state": state, "percent": 0, "total": 1, "succeeded": 0,
        "insight": "i", "pool": "p", "epoch": 1, "submitted_at": "2026-01-02T03:04:05Z",
    }))
    .unwrap()
}

fn view_with(state: AgendaState, change: impl FnOnce(&mut AgendaView)) -> AgendaView {
    let mut view = view(state);
    change(&mut view);
    view
}

fn ok(body: &impl serde::Serialize) -> String {
    answer("200 OK", "application/json", &serde_json::to_string(body).unwrap())
}

fn event(seq: u64, state: AgendaState) -> String {
    let event: Event = serde_json::from_value(json!({
        "seq": seq, "at": "2026-01-02T03:04:05Z", "agenda": "ag_1", "state": state, "percent": 0,
    }))
    .unwrap();
    format!("id: {seq}\ndata: {}\n\n", serde_json::to_string(&event).unwrap())
}

fn problem(status: &str) -> String {
    let body = json!({
        "type": "/problems/invalid-agenda", "title": "the agenda is not valid", "status": 422, "detail": "1 finding",
        "diagnostics": [{ "rule": "cycle", "severity": "error", "message": "a → b → a", "pointer": "/operations/0", "help": ["cut it"] }],
    });
    answer(status, "application/problem+json", &body.to_string())
}

#[tokio::test]
async fn an_address_is_checked_without_asking_anybody() {
    for wrong in ["", "localhost:7070", "ftp://localhost", "http://", "not an address"] {
        let error = Client::connect(wrong).unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{error}");
    }
    let client = Client::connect("http://localhost:7070/behind/a/proxy").unwrap();
    assert_eq!(client.address(), "http://localhost:7070/behind/a/proxy/");
}

#[tokio::test]
async fn a_refused_connection_says_where_and_what_to_do() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = Client::connect(&format!("http://{free}")).unwrap();
    let error = client.get("ag_1").await.unwrap_err().to_string();
    assert!(error.contains(&free.to_string()) && error.contains("`pop dev`"), "{error}");
}

#[tokio::test]
async fn a_problem_comes_with_its_findings() {
    let server =
        Server::start([problem("422 Unprocessable Entity"), answer("502 Bad Gateway", "text/html", "<b>")])
            .await;
    let client = Client::connect(&server.address).unwrap();
    let error = client.submit(SubmitRequest::default()).await.unwrap_err();
    let Error::Problem(found) = &error else { panic!("{error}") };
    assert_eq!((found.status, found.kind.as_str()), (422, "/problems/invalid-agenda"));
    assert_eq!(
        error.to_string(),
        "the agenda is not valid: 1 finding\n  error[cycle] a → b → a (at /operations/0)\n    help: cut it"
    );
    let error = client.get("ag_1").await.unwrap_err();
    assert!(matches!(&error, Error::Problem(p) if p.status == 502), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_shape_is_told_apart() {
    let server = Server::start([answer("200 OK", "application/json", "[]")]).await;
    let error = Client::connect(&server.address).unwrap().get("ag_1").await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
}

#[tokio::test]
async fn ids_are_escaped_in_paths() {
    let server = Server::start([ok(&view(AgendaState::Ready))]).await;
    Client::connect(&server.address).unwrap().get("../a b/?c#d").await.unwrap();
    let asked = server.requests().await;
    assert!(asked[0].starts_with("GET /v1/agendas/..%2Fa%20b%2F%3Fc%23d HTTP"), "{asked:?}");
}

#[tokio::test]
async fn a_submission_that_is_repeated_has_one_key() {
    let server = Server::start([String::new(), ok(&view(AgendaState::Ready))]).await;
    let run = Client::connect(&server.address).unwrap().submit(SubmitRequest::default()).await.unwrap();
    assert_eq!(run.id(), "ag_1");
    let keys: Vec<String> = server
        .requests()
        .await
        .iter()
        .map(|request| {
            let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
            body["idempotency_key"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(keys.len() == 2 && keys[0] == keys[1] && keys[0].len() == 32, "{keys:?}");
}

#[tokio::test]
async fn a_watch_goes_on_where_it_was_and_ends_with_the_last_event() {
    use AgendaState::{Executing, Queued, Succeeded};
    let half = &event(3, Executing)[..20];
    let server = Server::start([
        ok(&view(Queued)),
        // breaks in the middle of the third event
        broken_stream(&format!(": hello\n\n{}{}{half}", event(1, Queued), event(2, Executing))),
        // the server restarts behind a proxy
        answer("503 Service Unavailable", "text/plain", ""),
        // ends politely, and says something again
        stream(&format!("{}{}", event(2, Executing), event(3, Executing))),
        stream(&event(4, Succeeded)),
    ])
    .await;
    let run = Client::connect(&server.address).unwrap().attach("ag_1").await.unwrap();
    let seen: Vec<u64> = run.watch().map(|e| e.unwrap().seq).collect().await;
    assert_eq!(seen, [1, 2, 3, 4]);
    let asked = server.requests().await;
    let last: Vec<Option<&str>> =
        asked[1..].iter().map(|r| r.lines().find_map(|l| l.strip_prefix("last-event-id: "))).collect();
    assert_eq!(last, [None, Some("2"), Some("2"), Some("3")]);
}

#[tokio::test]
async fn a_watch_of_nothing_says_so_once() {
    let server = Server::start([ok(&view(AgendaState::Ready)), problem("404 Not Found")]).await;
    let run = Client::connect(&server.address).unwrap().attach("ag_1").await.unwrap();
    let seen: Vec<_> = run.watch().collect().await;
    assert!(matches!(seen.as_slice(), [Err(Error::Problem(_))]), "{seen:?}");
}

/// What `wait` says when an agenda has ended as `end` says.
async fn waited<T: serde::de::DeserializeOwned>(end: AgendaView) -> Result<T, RunError> {
    let ready = || ok(&view(AgendaState::Ready));
    let server = Server::start([ready(), ready(), stream(&event(1, end.state)), ok(&end)]).await;
    Client::connect(&server.address).unwrap().attach("ag_1").await.unwrap().wait().await
}

#[tokio::test]
async fn waiting_gives_a_typed_result_or_a_typed_failure() {
    let end = view_with(AgendaState::Succeeded, |view| view.outputs = Some(json!({ "top": ["a"] })));
    #[derive(Debug, serde::Deserialize)]
    struct Words {
        top: Vec<String>,
    }
    assert_eq!(waited::<Words>(end.clone()).await.unwrap().top, ["a"]);
    let error = waited::<std::collections::BTreeMap<String, Vec<u32>>>(end).await.unwrap_err();
    assert!(matches!(error, RunError::Outputs(_)));
    let told = "the outputs do not match the expected type: `outputs.top[0]`: invalid type: string \"a\", expected u32";
    assert_eq!(error.to_string(), told);
    assert!(matches!(waited::<Words>(view(AgendaState::Cancelled)).await, Err(RunError::Cancelled)));
    let failure = Failure {
        class: FailureClass::User,
        code: "ExitCode".into(),
        message: "it ended with exit code 3".into(),
        operation: Some("count".into()),
        exit_code: Some(3),
        signal: None,
        log_tail: Box::default(),
        mismatch: None,
    };
    let error = waited::<Words>(view_with(AgendaState::Failed, |view| view.failure = Some(failure)))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "operation `count` failed: it ended with exit code 3");
}

#[tokio::test]
async fn a_state_of_a_newer_server_may_be_an_end() {
    let mut end = serde_json::to_value(view(AgendaState::Failed)).unwrap();
    end["state"] = "expired".into();
    end["ended_at"] = "2026-01-02T03:04:06Z".into();
    end["failure"] = json!({ "class": "budget", "code": "Expired", "message": "nobody needs it any more" });
    let ready = || ok(&view(AgendaState::Ready));
    let server = Server::start([ready(), ready(), stream("event: end\ndata: {}\n\n"), ok(&end)]).await;
    let run = Client::connect(&server.address).unwrap().attach("ag_1").await.unwrap();
    let error = run.wait::<Value>().await.unwrap_err();
    assert_eq!(error.to_string(), "nobody needs it any more");
    let RunError::Failed(failure) = error else { panic!("{error}") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Unknown, "Expired"));
}

#[tokio::test(start_paused = true)]
async fn waiting_goes_through_a_restart_after_the_last_event() {
    let end = view_with(AgendaState::Succeeded, |view| view.outputs = Some(json!(["a"])));
    let server = Server::start([
        ok(&view(AgendaState::Ready)),
        ok(&view(AgendaState::Ready)),
        stream(&event(1, end.state)),
        String::new(),
        answer("503 Service Unavailable", "text/plain", ""),
        ok(&end),
    ])
    .await;
    let run = Client::connect(&server.address).unwrap().attach("ag_1").await.unwrap();
    assert_eq!(run.wait::<Vec<String>>().await.unwrap(), ["a"]);
}

#[tokio::test]
async fn waiting_reads_only_what_happens_from_now_on() {
    let long = view_with(AgendaState::Executing, |view| view.last_event = 70_000);
    let end = view_with(AgendaState::Succeeded, |view| view.outputs = Some(json!(["a"])));
    let server = Server::start([ok(&long), ok(&long), stream(&event(70_001, end.state)), ok(&end)]).await;
    let run = Client::connect(&server.address).unwrap().attach("ag_1").await.unwrap();
    assert_eq!(run.wait::<Vec<String>>().await.unwrap(), ["a"]);
    let asked = server.requests().await;
    assert!(asked[2].to_lowercase().contains("last-event-id: 70000"), "{}", asked[2]);
}

#[pop_sdk::operation("text.count", output = Counted)]
#[derive(schemars::JsonSchema)]
struct Count {
    file: String,
}

#[derive(schemars::JsonSchema)]
struct Counted {
    words: u64,
}

pop_sdk::workflow! {
    count(file: String, thorough: bool) -> u64 {
        let count = Count { file } when thorough;
        count.words
    }
}

#[tokio::test]
async fn a_workflow_is_submitted_with_its_inputs_and_gives_its_result() {
    for (outputs, expected) in [(json!({ "words": 3 }), Some(3)), (json!({ "words": null }), None)] {
        let end = view_with(AgendaState::Succeeded, |view| view.outputs = Some(outputs));
        let begin = answer("201 Created", "application/json", &serde_json::to_string(&end).unwrap());
        let server = Server::start([begin, ok(&end)]).await;
        let client = count::Client::connect(&server.address).unwrap();
        let run = client.submit(count::Inputs { file: "a b".into(), thorough: true }).await.unwrap();
        match run.wait().await {
            Ok(words) => assert_eq!(Some(words), expected),
            Err(RunError::OutputMissing(name)) => assert_eq!((name.as_str(), expected), ("words", None)),
            Err(other) => panic!("{other}"),
        }
        let asked = server.requests().await;
        let body: Value = serde_json::from_str(asked[0].split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body["inputs"], json!({ "file": "a b", "thorough": true }));
        assert_eq!(body["workflow"], body["template"]["agenda"]["params"]["pop.workflow"]);
    }
}

#[tokio::test]
async fn the_calls_of_a_pool_go_to_its_path() {
    let server = Server::start([ok(&json!({ "leases": [] }))]).await;
    let request = PullRequest {
        worker: "w".into(),
        instance: "i".into(),
        insight: None,
        count: 1,
        wait_ms: 0,
        request: "r".into(),
    };
    let pulled = Client::connect(&server.address).unwrap().pull("p 1", &request).await.unwrap();
    assert!(pulled.leases.is_empty());
    assert!(server.requests().await[0].starts_with("POST /v1/pools/p%201/pull HTTP"));
}
