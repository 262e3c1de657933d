//! The whole server, with a port and a database file.

use std::path::Path;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{Config, Server, ServerError, start};

fn config(database: Option<&Path>) -> Config {
    Config { listen: ([127, 0, 0, 1], 0).into(), database: database.map(Path::to_owned), ..Config::default() }
}

/// Sends one request on a new connection; returns the status and the body.
async fn request(server: &Server, head: &str, body: &[u8]) -> (u16, Value) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

async fn post(server: &Server, path: &str, body: Value) -> Value {
    let (status, answer) = request(server, &format!("POST {path}"), body.to_string().as_bytes()).await;
    assert!(status < 300, "{status} {answer}");
    answer
}

fn submission(n: usize) -> Value {
    json!({ "agenda": { "title": format!("n{n}"), "operations": [{ "name": "a", "type": "pop.log" }] } })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("pop.db");
    // The server gets no stop: its runtime is dropped, like after a kill.
    let (tx, rx) = std::sync::mpsc::channel();
    let crashed_database = database.clone();
    let crashed = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = start(config(Some(&crashed_database)), CancellationToken::new()).await.unwrap();
            let mut ids = Vec::new();
            for n in 0..20 {
                ids.push(post(&server, "/v1/agendas", submission(n)).await["id"].clone());
            }
            let pull = json!({ "worker": "w", "instance": "1", "count": 3, "request": "r" });
            let leases = post(&server, "/v1/pools/default/pull", pull).await["leases"].clone();
            tx.send((ids, leases)).unwrap();
        });
        runtime.shutdown_background();
    });
    let (ids, leases) = rx.recv().unwrap();
    crashed.join().unwrap();

    let shutdown = CancellationToken::new();
    let server = start(config(Some(&database)), shutdown.clone()).await.unwrap();
    let (_, page) = request(&server, "GET /v1/agendas", b"").await;
    let found: Vec<Value> = page["items"].as_array().unwrap().iter().rev().map(|i| i["id"].clone()).collect();
    assert_eq!(found, ids);
    let again = json!({ "worker": "w", "instance": "1", "count": 3, "request": "r" });
    assert_eq!(
        post(&server, "/v1/pools/default/pull", again).await["leases"],
        leases,
        "the leases are still held"
    );
    let attach = json!({ "worker": "w", "instance": "2" });
    let returned = post(&server, "/v1/pools/default/attach", attach).await["returned"].clone();
    let returned: Vec<Value> = returned.as_array().unwrap().iter().map(|lease| lease["id"].clone()).collect();
    assert_eq!(returned, ids[..3]);
    shutdown.cancel();
    server.join().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_body_is_refused_and_the_client_gets_to_read_it() {
    let shutdown = CancellationToken::new();
    let server = start(Config { body_limit: 1 << 20, ..config(None) }, shutdown.clone()).await.unwrap();
    let (status, problem) = request(&server, "POST /v1/agendas", &vec![b' '; 40 << 20]).await;
    assert_eq!((status, &problem["type"]), (413, &json!("/problems/body-too-large")));
    post(&server, "/v1/agendas", submission(1)).await;
    shutdown.cancel();
    server.join().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_long_polls_and_streams() {
    let shutdown = CancellationToken::new();
    let server = start(config(None), shutdown.clone()).await.unwrap();
    let id = post(&server, "/v1/agendas", submission(1)).await["id"].as_str().unwrap().to_owned();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream
        .write_all(format!("GET /v1/agendas/{id}/events HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut first = [0; 64];
    stream.read_exact(&mut first).await.unwrap();
    let pull = |request, wait_ms| json!({ "worker": "w", "instance": "1", "count": 1, "wait_ms": wait_ms, "request": request });
    let taken = post(&server, "/v1/pools/default/pull", pull("a", 0)).await;
    assert_eq!(taken["leases"].as_array().map(Vec::len), Some(1), "the next one has to wait");
    let mut poll = TcpStream::connect(server.address).await.unwrap();
    let body = pull("b", 60_000).to_string();
    let length = body.len();
    let head = format!(
        "POST /v1/pools/default/pull HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
    );
    poll.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body, so the server has taken the request.
    let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
    poll.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    poll.write_all(body.as_bytes()).await.unwrap();
    shutdown.cancel();
    let (mut answer, mut rest) = (String::new(), Vec::new());
    poll.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(r#"{"leases":[],"#), "{answer}");
    stream.read_to_end(&mut rest).await.unwrap();
    server.join().await.unwrap();
}

#[tokio::test]
async fn a_taken_port_and_a_bad_database_are_told_apart() {
    let shutdown = CancellationToken::new();
    let first = start(config(None), shutdown.clone()).await.unwrap();
    let second = start(Config { listen: first.address, ..Config::default() }, shutdown.clone()).await;
    assert!(matches!(second, Err(ServerError::Bind(address, _)) if address == first.address));
    let directory = tempfile::tempdir().unwrap();
    let no_database = directory.path().join("text.db");
    std::fs::write(&no_database, "this is no database, whatever its name says".repeat(100)).unwrap();
    let third = start(config(Some(&no_database)), shutdown.clone()).await;
    assert!(matches!(third, Err(ServerError::Store(_))));
    shutdown.cancel();
    first.join().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_or_half_ends() {
    let shutdown = CancellationToken::new();
    let idle = std::time::Duration::from_millis(50);
    let server = start(Config { idle, ..config(None) }, shutdown.clone()).await.unwrap();
    for (sent, answered) in [("", false), ("GET /healthz HT", false), ("GET /healthz HTTP/1.1\r\n\r\n", true)]
    {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // The answer ends the connection; a read from a connection that stays open would never end.
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.starts_with("HTTP/1.1 200"), answered, "{sent} {answer}");
    }
    shutdown.cancel();
    server.join().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_this_machine_is_served_on_a_loopback_address() {
    let shutdown = CancellationToken::new();
    let server = start(config(None), shutdown.clone()).await.unwrap();
    for (host, status) in [
        ("localhost", 200),
        ("LOCALHOST:7070", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:7070", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("evil.example:7070", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:80", 421),
        ("", 421),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("GET /readyz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
    shutdown.cancel();
    server.join().await.unwrap();
}
