//! The contract over HTTP, for programs without shared files.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use pop_sdk::api::FailureClass;
use pop_server::runtime::Signal;
use serde_json::{Value, json};

use crate::support::{Gate, Pool};

#[tokio::test]
async fn a_big_output_arrives_and_one_that_is_too_big_does_not() {
    let pool = Pool::without_files();
    let attempt = pool.run("t.repeat", 1, json!({ "text": "0123456789", "times": 1_000_000 })).await;
    assert_eq!(attempt.outcome.unwrap()["text"].as_str().map(str::len), Some(10_000_000));
    let attempt = pool.run("t.repeat", 1, json!({ "text": "0123456789", "times": 7_000_000 })).await;
    let failure = attempt.outcome.unwrap_err();
    assert!(failure.message.contains("33554432 bytes"), "{failure:?}");
}

#[tokio::test]
async fn progress_is_heard_while_it_works() {
    let (pool, gate) = (Pool::without_files(), Gate::new());
    let heard = |signal: &Signal| {
        if matches!(signal, Signal::Progress { .. }) {
            gate.open();
        }
        false
    };
    let input = json!({ "times": 1000, "gate": gate.1 });
    let attempt = pool.run_and_stop("t.chatter", 1, input, heard).await;
    assert_eq!(attempt.outcome.unwrap(), Value::Null);
    assert!(attempt.progress[0].0 < 50.0, "{:?}", attempt.progress[0]);
    assert_eq!(attempt.progress.last(), Some(&(99.0, Some("step 1000".into()))));
    assert_eq!(pool.files(), [""; 0], "nothing is left behind");
}

#[tokio::test]
async fn a_failure_keeps_its_class_and_what_was_saved_comes_back() {
    let pool = Pool::without_files();
    for (how, class, code) in [
        ("config", FailureClass::Config, "Misconfigured"),
        ("panic", FailureClass::User, "Panic"),
        ("exit", FailureClass::User, "OutputMissing"),
        ("abort", FailureClass::User, "Signal"),
    ] {
        let failure = pool.run("t.end", 1, json!({ "how": how })).await.outcome.unwrap_err();
        assert_eq!((failure.class, &*failure.code), (class, code), "{how}: {failure:?}");
    }
    pool.run("t.resume", 1, json!({ "fatal": false })).await.outcome.unwrap_err();
    let second = pool.run("t.resume", 2, json!({ "fatal": false })).await;
    assert_eq!(second.outcome.unwrap(), json!({ "far": 42 }));
}

/// Sends a request; returns the status and the body.
fn put(url: &str, word: &str, token: &str, body: &str) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "PUT /{path}/{word} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_its_attempt_and_only_what_makes_sense_is_taken() {
    // The program says where it may speak and with which right, and waits. Whoever knows that speaks for it.
    let gate = Gate::new();
    let (host, port) = gate.1.split_once(':').unwrap();
    let wait = format!("(exec 3<>/dev/tcp/{host}/{port}; read -r -n 1 <&3) || true");
    let pool = Pool::of_script(&format!("echo desk $POP_REPORT_URL $POP_TOKEN; {wait}"));
    let desk = std::sync::Mutex::new((String::new(), String::new()));
    let speak = |signal: &Signal| {
        let Signal::Log { text, .. } = signal else { return false };
        let Some(rest) = text.strip_prefix("desk ") else { return false };
        let mut words = rest.split_whitespace();
        let (url, token) = (words.next().unwrap(), words.next().unwrap());
        tokio::task::block_in_place(|| {
            let says = |word: &str, body: &str| put(url, word, token, body);
            assert_eq!(put(url, "output", "guessed", "1").0, 401);
            assert_eq!(put(url, "output", "", "1").0, 401);
            assert_eq!(says("progress", "{\"percent\": 40, \"message\": \"by hand\"}").0, 204);
            let (status, body) = says("progress", "soon");
            assert!(status == 422 && body.contains("`percent`"), "{status} {body}");
            let (status, body) = says("output", "{\"half\": ");
            assert!(status == 422 && body.contains("JSON"), "{status} {body}");
            assert_eq!(says("failure", "[]").0, 422);
            assert_eq!(says("progress", &" ".repeat(300_000)).0, 413);
            assert_eq!(says("elsewhere", "1").0, 404);
            assert_eq!(says("output", "{\"n\": 1}").0, 204);
            assert_eq!(says("output", "{\"n\": 2}").0, 204, "the last word counts");
        });
        *desk.lock().unwrap() = (url.to_owned(), token.to_owned());
        gate.open();
        false
    };
    let attempt = pool.run_and_stop("t.script", 1, Value::Null, speak).await;
    assert_eq!(attempt.outcome.unwrap(), json!({ "n": 2 }));
    assert_eq!(attempt.progress, [(40.0, Some("by hand".into()))]);
    let (url, token) = desk.into_inner().unwrap();
    let (status, body) = tokio::task::block_in_place(|| put(&url, "output", &token, "3"));
    assert!(status == 401 && body.contains("while the attempt runs"), "{status} {body}");
}
