//! Bad input at each entry point: a clear error, the right exit code or status, and a server that goes on.

use std::path::Path;

use pop_compiler::agenda::{Agenda, Operation};
use pop_sdk::api::{FailureClass, SubmitRequest};
use pop_sdk::client::{Client, Error, RunError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Service, code, pop, stderr, stdout};

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs `pop run` on a file; returns its exit code and its messages.
async fn run(file: &str) -> (Option<i32>, String) {
    let output = pop(&["run", file]).await;
    (code(&output), stderr(&output))
}

#[tokio::test]
async fn files_with_faults() {
    let folder = tempfile::tempdir().unwrap();
    let head = "[workflow]\nname = \"w\"\n";
    let cases: &[(&str, &str, &[&str])] = &[
        ("broken.pop.toml", "[workflow]\nname = \"w\n", &["syntax", ":2:10"]),
        ("broken.pop.json", "{ \"workflow\": { \"name\": \"w\" ", &["syntax"]),
        (
            "name.pop.toml",
            "[operations.a]\nuses = \"pop.transform\"\nwith = { value = 1 }\n[operations.b]\nuses = \"pop.transform\"\nwith = { value = \"${aa}\" }\n",
            &["unknown-output", "`a`"],
        ),
        (
            "kind.pop.toml",
            "[operations.a]\nuses = \"pop.transfrom\"\nwith = { value = 1 }\n",
            &["unknown-operation-type", "pop.transform"],
        ),
        (
            "cycle.pop.toml",
            "[operations.a]\nuses = \"pop.transform\"\nwith = { value = \"${b}\" }\n[operations.b]\nuses = \"pop.transform\"\nwith = { value = \"${a}\" }\n",
            &["cycle"],
        ),
        (
            "type.pop.toml",
            "[operations.a]\nuses = \"pop.sleep\"\nwith = { seconds = \"soon\" }\n",
            &["type-mismatch", "seconds"],
        ),
    ];
    for (name, text, expected) in cases {
        let text = if name.starts_with("broken") { (*text).to_owned() } else { format!("{head}{text}") };
        let (code, said) = run(&write(&folder, name, &text)).await;
        assert_eq!(code, Some(1), "{name}: {said}");
        for part in *expected {
            assert!(said.contains(part), "{name} should mention {part}:\n{said}");
        }
    }
    let (code, said) = run(folder.path().join("absent.pop.toml").to_str().unwrap()).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("absent.pop.toml"), "{said}");
}

#[tokio::test]
async fn programs_with_faults() {
    let folder = tempfile::tempdir().unwrap();
    let flow = |name: &str, command: &str, more: &str| {
        let text = format!(
            "[workflow]\nname = \"w\"\n[operations.only]\nuses = \"t\"\n{more}\n[catalog.t]\ncommand = {command}\nstdout = \"text\"\n"
        );
        write(&folder, name, &text)
    };
    let (code, said) = run(&flow("missing.pop.toml", "['no-such-program-here']", "")).await;
    assert_eq!(code, Some(3));
    assert!(said.contains("no-such-program-here") && said.contains("ProgramNotFound"), "{said}");

    let exits = flow("exit.pop.toml", "['sh', '-c', 'echo first; echo the reason >&2; exit 3']", "");
    let (code, said) = run(&exits).await;
    assert_eq!(code, Some(3));
    assert!(said.contains("code 3") && said.contains("the reason"), "{said}");

    let floods = flow("flood.pop.toml", "['sh', '-c', 'yes | head -c 300000000']", "");
    let (code, said) = run(&floods).await;
    assert_eq!(code, Some(3));
    assert!(said.contains("OutputTooLarge"), "{said}");

    let (code, said) = run(&flow("slow.pop.toml", "['sleep', '600']", "timeout = \"100ms\"")).await;
    assert_eq!(code, Some(3));
    assert!(said.contains("timeout of 100ms"), "{said}");

    let marks = folder.path().join("marks");
    let script =
        format!("['sh', '-c', 'echo x >> {}; [ $(wc -l < {}) = 3 ]']", marks.display(), marks.display());
    let retry = "retry = { attempts = 3, backoff = \"1ms..2ms\" }";
    let (code, said) = run(&flow("retry.pop.toml", &script, retry)).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("attempt 2 failed"), "{said}");
}

#[tokio::test]
async fn options_that_cannot_work_are_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let marks = folder.path().join("marks");
    let text = format!(
        "[workflow]\nname = \"w\"\n[operations.only]\nuses = \"t\"\n[catalog.t]\ncommand = ['touch', '{}']\n",
        marks.display()
    );
    let file = write(&folder, "mark.pop.toml", &text);
    let report = folder.path().join("absent/report.json");
    let output = pop(&["run", &file, "--report", report.to_str().unwrap()]).await;
    assert_eq!(code(&output), Some(2));
    assert!(stderr(&output).contains("absent/report.json"), "{}", stderr(&output));
    assert!(!marks.exists(), "the workflow ran, though its report has no place");

    let database = folder.path().join("pop.db");
    for lease in ["0s", "1ms"] {
        let arguments =
            ["server", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap(), "--lease", lease];
        let output = pop(&arguments).await;
        assert_eq!(code(&output), Some(2));
        let said = stderr(&output);
        assert!(said.contains(&format!("invalid --lease {lease}")) && said.contains("500ms"), "{said}");
    }
}

#[tokio::test]
async fn a_log_that_floods_is_cut_and_the_operation_lives() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[workflow]\nname = \"w\"\n[operations.only]\nuses = \"t\"\n[catalog.t]\ncommand = ['sh', '-c', 'yes | head -c 100000000']\n";
    let (code, said) = run(&write(&folder, "log.pop.toml", text)).await;
    assert_eq!(code, Some(0), "{said}");
}

async fn dev(folder: &Path) -> Service {
    let database = folder.join("pop.db");
    Service::start(&["dev", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()]).await
}

/// Sends raw bytes; returns the answer's status and body.
async fn raw(address: &str, request: &[u8]) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split_whitespace().nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

fn post(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST /v1/agendas HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

#[tokio::test]
async fn requests_with_faults_get_problem_documents_and_the_server_lives() {
    let folder = tempfile::tempdir().unwrap();
    let server = dev(folder.path()).await;
    let at = server.listen();

    let (status, body) = raw(at, &post("{\"agenda\": {")).await;
    assert_eq!(status, 400, "{body}");
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("line 1"), "{body}");

    let (status, body) = raw(at, &post("{\"agneda\": {}}")).await;
    assert!((400..=422).contains(&status), "{status} {body}");
    assert!(body.contains("agneda"), "{body}");

    let large = format!(
        "POST /v1/agendas HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        200 << 20
    );
    let mut request = large.into_bytes();
    request.resize(request.len() + (1 << 20), b' ');
    assert_eq!(raw(at, &request).await.0, 413);

    let (status, body) =
        raw(at, b"GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!((status, body.contains("\"status\":404")), (404, true), "{body}");
    let (status, _) =
        raw(at, b"DELETE /v1/agendas HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status, 405);

    let client = server.client();
    let problem = refused(&client, json!({"operations": []})).await;
    assert_eq!((problem.0, problem.1.as_slice()), (422, &["empty-workflow".to_owned()][..]));
    let cycle = json!({"operations": [
        {"name": "a", "type": "pop.transform", "payload": {"value": "@<b.out>"}},
        {"name": "b", "type": "pop.transform", "payload": {"value": "@<a.out>"}},
        {"name": "c", "type": "pop.transform", "payload": {"value": "@<bb.out>"}}]});
    let problem = refused(&client, cycle).await;
    assert_eq!(problem.0, 422);
    assert_eq!(problem.1, ["unknown-output", "cycle"]);

    // After all that it still works.
    let alive = json!({"operations": [{"name": "a", "type": "pop.transform", "payload": {"value": 1}}]});
    let agenda: Agenda = serde_json::from_value(alive).unwrap();
    let _: Value = client.submit_agenda(agenda).await.unwrap().wait().await.unwrap();
}

/// The status and the rule ids of a refused agenda.
async fn refused(client: &Client, agenda: Value) -> (u16, Vec<String>) {
    let agenda: Agenda = serde_json::from_value(agenda).unwrap();
    let error = client.submit(SubmitRequest { agenda: Some(agenda), ..SubmitRequest::default() }).await;
    let Err(Error::Problem(problem)) = error else { panic!("it should have been refused") };
    let rules = problem.diagnostics.iter().map(|d| d["rule"].as_str().unwrap_or_default().to_owned());
    (problem.status, rules.collect())
}

#[tokio::test]
async fn a_failed_program_comes_back_as_a_typed_failure() {
    let folder = tempfile::tempdir().unwrap();
    let server = dev(folder.path()).await;
    let command = json!({"command": ["sh", "-c", "echo why >&2; exit 3"]});
    let agenda = Agenda {
        operations: vec![Operation { name: "only".into(), kind: "t".into(), ..Operation::default() }].into(),
        params: json!({"pop.types": {"t": command}}).as_object().cloned().unwrap_or_default(),
        ..Agenda::default()
    };
    let run = server.client().submit_agenda(agenda).await.unwrap();
    let Err(RunError::Failed(failure)) = run.wait::<Value>().await else { panic!("it should have failed") };
    assert_eq!((failure.class, failure.exit_code), (FailureClass::User, Some(3)));
    assert_eq!((failure.operation.as_deref(), &*failure.log_tail), (Some("only"), &["why".to_owned()][..]));
}

#[tokio::test]
async fn no_server_is_a_clear_error() {
    // A port that was just free.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let output = pop(&["list", "--server", &format!("http://127.0.0.1:{port}")]).await;
    assert_eq!(code(&output), Some(7));
    assert!(stderr(&output).contains("pop dev"), "{}", stderr(&output));
    let output = pop(&["list", "--server", "nonsense"]).await;
    assert_eq!((code(&output), stdout(&output).as_str()), (Some(2), ""));
}

#[tokio::test]
async fn a_pool_or_an_insight_that_does_not_exist_ends_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let service = dev(folder.path()).await;
    for (wrong, expected) in [
        (["--pool", "mdia"], "pool `mdia` does not exist; create it with PUT /v1/pools/mdia"),
        (["--insight", "urgnt"], "insight `urgnt`"),
    ] {
        let output = pop(&["pool", "--server", &service.address, wrong[0], wrong[1]]).await;
        assert_eq!(code(&output), Some(5), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}
