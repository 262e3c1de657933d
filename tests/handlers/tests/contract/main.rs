//! The handler contract between a real program of the framework and the local runtime.

mod over_http;
mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use pop_sdk::api::FailureClass;
use pop_server::runtime::Signal;
use serde_json::{Value, json};
use support::{Gate, OPS, Pool};

#[tokio::test]
async fn a_big_payload_goes_by_file() {
    let text = "é".repeat(2_500_000); // 5 MB: more than any environment takes
    let attempt = Pool::new().run("t.measure", 1, json!({ "text": text })).await;
    let sum: u64 = text.bytes().map(u64::from).sum();
    assert_eq!(attempt.outcome.unwrap(), json!({ "bytes": 5_000_000, "sum": sum }));
}

#[tokio::test]
async fn a_big_output_comes_back_whole() {
    let attempt = Pool::new().run("t.repeat", 1, json!({ "text": "0123456789", "times": 1_000_000 })).await;
    let output = attempt.outcome.unwrap();
    assert_eq!(output["text"].as_str().map(str::len), Some(10_000_000));
    // Ten million are fine, seventy are not: an output is for values, files are for data.
    let attempt = Pool::new().run("t.repeat", 1, json!({ "text": "0123456789", "times": 7_000_000 })).await;
    let failure = attempt.outcome.unwrap_err();
    assert_eq!(failure.code, "OutputTooLarge");
}

#[tokio::test]
async fn words_are_coalesced_while_it_works_and_the_last_gets_out() {
    let (pool, gate) = (Pool::new(), Gate::new());
    let heard = |signal: &Signal| {
        if matches!(signal, Signal::Progress { .. }) {
            gate.open();
        }
        false
    };
    let input = json!({ "times": 100_000, "gate": gate.1 });
    let attempt = pool.run_and_stop("t.chatter", 1, input, heard).await;
    assert_eq!(attempt.outcome.unwrap(), Value::Null);
    let said = attempt.progress.len();
    assert!((2..10_000).contains(&said), "{said} of 100,000");
    assert!(attempt.progress[0].0 < 50.0, "it is heard before it goes on: {:?}", attempt.progress[0]);
    assert_eq!(attempt.progress.last(), Some(&(99.0, Some("step 100000".into()))), "the last word gets out");
    assert!(attempt.progress.windows(2).all(|w| w[0].0 < w[1].0));
    assert_eq!(pool.files(), [""; 0], "nothing is left behind");
}

#[tokio::test]
async fn a_stopped_handler_has_time_to_save_and_the_next_attempt_gets_it() {
    let pool = Pool::new();
    for attempt in 1..=2 {
        // It was told to stop, and lives until it is let go.
        let gate = Gate::new();
        let react = |signal: &Signal| {
            if matches!(signal, Signal::Log { text, .. } if text.contains("saving")) {
                gate.open();
            }
            matches!(signal, Signal::Progress { .. })
        };
        let input = json!({ "enough": 3, "gate": gate.1 });
        let stopped = pool.run_and_stop("t.patient", attempt, input, react).await;
        let failure = stopped.outcome.unwrap_err();
        assert_eq!((&*failure.code, failure.exit_code), ("Stopped", Some(143)), "{failure:?}");
    }
    assert_eq!(pool.files(), ["ag_1/only.progress.json"]);
    let third = pool.run("t.patient", 3, json!({ "enough": 3, "gate": "" })).await;
    assert_eq!(third.outcome.unwrap(), json!({ "far": 2 }));
    assert_eq!(pool.files(), [""; 0], "it is done: nothing is remembered");
}

#[tokio::test]
async fn a_handler_that_never_asks_is_dropped() {
    let ready = |signal: &Signal| matches!(signal, Signal::Progress { .. });
    let attempt = Pool::new().run_and_stop("t.deaf", 1, json!({}), ready).await;
    let failure = attempt.outcome.unwrap_err();
    assert_eq!((&*failure.code, failure.exit_code, failure.signal), ("Stopped", Some(143), None));
}

#[tokio::test]
async fn each_way_to_fail_says_what_it_was() {
    let pool = Pool::new();
    for (how, class, code, part, exit) in [
        ("error", FailureClass::User, "Hiccup", "once more, please", Some(1)),
        ("fatal", FailureClass::UserFatal, "Failed", "never again", Some(1)),
        ("config", FailureClass::Config, "Misconfigured", "no key in KEY", Some(1)),
        ("resource", FailureClass::UserResource, "TooLittle", "no room", Some(1)),
        ("io", FailureClass::User, "Failed", "No such file", Some(1)),
        ("panic", FailureClass::User, "Panic", "the sky fell on Tuesday", Some(101)),
        ("exit", FailureClass::User, "OutputMissing", "without a result", Some(0)),
        ("exit3", FailureClass::User, "OutputMissing", "without a result", Some(3)),
        ("abort", FailureClass::User, "Signal", "signal 6", None),
    ] {
        let failure = pool.run("t.end", 1, json!({ "how": how })).await.outcome.unwrap_err();
        assert_eq!(
            (failure.class, &*failure.code, failure.exit_code),
            (class, code, exit),
            "{how}: {failure:?}"
        );
        assert!(failure.message.contains(part), "{how}: {}", failure.message);
        assert!(failure.log_tail.iter().any(|l| l == "about to end"), "{how}: {failure:?}");
    }
    let panic = pool.run("t.end", 1, json!({ "how": "panic" })).await.outcome.unwrap_err();
    assert!(panic.message.contains("handlers/src/main.rs:"), "it says where: {}", panic.message);
}

#[tokio::test]
async fn a_wrong_input_never_reaches_the_handler() {
    let pool = Pool::new();
    for (input, part) in [
        (json!({ "text": "a" }), "missing field `times`"),
        (json!({ "text": "a", "times": -1 }), "at `times`"),
        (json!({ "text": ["a"], "times": 1 }), "at `text`"),
        (json!("a"), "`t.repeat`"),
    ] {
        let failure = pool.run("t.repeat", 1, input).await.outcome.unwrap_err();
        assert_eq!((failure.class, &*failure.code), (FailureClass::UserFatal, "InputInvalid"));
        assert!(failure.message.contains(part), "{}", failure.message);
    }
    let failure = pool.run("t.nothing", 1, json!({})).await.outcome.unwrap_err();
    assert_eq!((failure.class, failure.exit_code), (FailureClass::Config, Some(2)), "{failure:?}");
    assert!(failure.message.contains("t.nothing") && failure.message.contains("t.repeat"), "{failure:?}");
}

#[tokio::test]
async fn it_knows_who_asks() {
    let attempt = Pool::new().run("t.who", 4, json!({})).await;
    let expected = json!({
        "agenda": "ag_1", "operation": "only", "id": "op-7", "customer": "acme", "cid": "ag_1", "attempt": 4
    });
    assert_eq!(attempt.outcome.unwrap(), expected);
}

#[test]
fn an_async_main_has_the_same_output_failures_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    for (number, code, output, word) in [
        (8, 0, "{\"half\":4}\n", ""),
        (7, 1, "", "failed: odd (user-fatal, Failed)"),
        (0, 101, "", "the handler panicked at"),
    ] {
        let input = folder.path().join("input.json");
        std::fs::write(&input, json!({ "number": number }).to_string()).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_async-ops")).arg(&input).output().unwrap();
        let errors = String::from_utf8_lossy(&done.stderr);
        assert_eq!(
            (done.status.code(), &*String::from_utf8_lossy(&done.stdout)),
            (Some(code), output),
            "{errors}"
        );
        assert!(errors.contains(word), "{errors}");
    }
}

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    run: pop_server::commands::run::RunArgs,
}

/// Runs one operation with up to three attempts through `pop run`; returns the report.
async fn pop_run(folder: &Path, kind: &str, input: &str) -> Value {
    let catalog = Command::new(OPS).args(["--describe", "--program", OPS]).output().unwrap();
    std::fs::write(folder.join("ops.toml"), catalog.stdout).unwrap();
    let flow = format!(
        "[workflow]\nname = \"w\"\ncatalogs = [\"ops.toml\"]\n[operations.only]\nuses = \"{kind}\"\nwith = {input}\n\
         retry = {{ attempts = 3, backoff = \"1ms..2ms\" }}\ntimeout = \"10m\"\n[outputs]\nfar = \"${{only.far}}\"\n"
    );
    let (file, report) = (folder.join("w.pop.toml"), folder.join("report.json"));
    std::fs::write(&file, flow).unwrap();
    let arguments = ["run", file.to_str().unwrap(), "--quiet", "--report", report.to_str().unwrap()];
    let cli = <Cli as clap::Parser>::parse_from(arguments);
    pop_server::commands::run::run(cli.run).await.unwrap();
    serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap()
}

#[tokio::test]
async fn pop_run_tries_again_and_the_handler_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let report = pop_run(folder.path(), "t.resume", "{ fatal = false }").await;
    assert_eq!(report["outputs"], json!({ "far": 42 }), "{report}");
    assert_eq!(report["operations"][0]["attempt"], 2);

    let report = pop_run(folder.path(), "t.resume", "{ fatal = true }").await;
    assert_eq!(report["failure"]["class"], "user-fatal", "{report}");
    assert_eq!(report["operations"][0]["attempt"], 1, "what is fatal is not tried again");
}

/// Runs the program by hand.
fn by_hand(arguments: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    use std::io::Write as _;
    let mut command = Command::new(OPS);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn it_runs_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input.json");
    std::fs::write(&input, r#"{"text": "ab", "times": 3}"#).unwrap();
    let (code, out, _) = by_hand(&["t.repeat", input.to_str().unwrap()], "");
    assert_eq!((code, &*out), (Some(0), "{\"text\":\"ababab\"}\n"));
    let (code, out, _) = by_hand(&["t.measure", "-"], r#"{"text": "é"}"#);
    assert_eq!((code, &*out), (Some(0), "{\"bytes\":2,\"sum\":364}\n"));

    let (code, _, err) = by_hand(&["t.end", "-"], r#"{"how": "sideways"}"#);
    assert_eq!(code, Some(1));
    assert!(err.contains("at `how`") && err.contains("sideways"), "{err}");
    let (code, _, err) = by_hand(&["t.measure"], "");
    assert_eq!(code, Some(2));
    assert!(err.contains("contract-ops t.measure input.json"), "{err}");
    let (code, _, err) = by_hand(&[], "");
    assert_eq!(code, Some(2));
    assert!(err.contains("t.measure, t.repeat"), "{err}");
    let (code, _, err) = by_hand(&["t.measure", "absent.json"], "");
    assert_eq!(code, Some(2));
    assert!(err.contains("absent.json"), "{err}");
}

#[test]
fn it_describes_itself() {
    let (code, catalog, _) = by_hand(&["--describe"], "");
    assert_eq!(code, Some(0));
    assert!(catalog.contains("[operations.\"t.repeat\"]\n"), "{catalog}");
    assert!(catalog.contains("command = [\"contract-ops\", \"t.repeat\"]"), "{catalog}");
    let (_, help, _) = by_hand(&["--help"], "");
    assert!(help.contains("t.patient  Works until it is stopped"), "{help}");
}
