//! The suite of all runtimes, and the tests of the local one: files, open files, an earlier runtime.

use std::fs;
use std::path::Path;

use pop_compiler::agenda::RunSpec;
use serde_json::json;

use super::*;
use crate::runtime::conformance::{HERE, check, launch, script};

fn config(work: &Path) -> Config {
    let path = ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
    let mut config = Config::new(work.to_path_buf(), work.to_path_buf(), vec![path]);
    // A slow machine must not turn a polite stop into a kill.
    config.grace = Duration::from_mins(1);
    config.output_limit = 1 << 20;
    config
}

fn entries(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms() {
    let work = tempfile::tempdir().unwrap();
    check(HERE, async || Local::open(config(work.path())).unwrap()).await;
}

#[tokio::test]
async fn the_command_of_an_image_runs_here_only_if_that_is_asked_for() {
    let work = tempfile::tempdir().unwrap();
    let spec = || RunSpec { image: Some("registry.example.com/tool:1".into()), ..script("echo on the host") };
    let runtime = Local::open(config(work.path())).unwrap();
    let told = launch(&runtime, "op", 1, spec(), json!({})).end().await;
    let failure = told.failure();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Config, "ImageNotSupported"));
    assert!(failure.message.contains("`registry.example.com/tool:1`"), "{}", failure.message);
    assert_eq!(told.log("stdout"), "");
    drop(runtime);
    let allowed = Config { allow_host: true, ..config(work.path()) };
    let told = launch(&Local::open(allowed).unwrap(), "op", 1, spec(), json!({})).end().await;
    assert_eq!(told.log("stdout"), "on the host\n");
}

#[tokio::test]
async fn one_folder_has_one_runtime() {
    let work = tempfile::tempdir().unwrap();
    let first = Local::open(config(work.path())).unwrap();
    let mut started = launch(&first, "op", 1, script("echo up; sleep 1000"), json!({}));
    started.until(|s| matches!(s, Signal::Log { .. })).await;
    let error = Local::open(config(work.path())).unwrap_err();
    assert!(matches!(error, LocalError::InUse(_)), "{error}");
    started.stop.terminate();
    let told = started.end().await;
    assert_eq!(told.failure().signal, Some(15), "the second one has not killed it: {told:?}");
}

#[tokio::test]
async fn files_are_private_and_go_with_the_agenda() {
    let work = tempfile::tempdir().unwrap();
    let runtime = Local::open(config(work.path())).unwrap();
    let text = "umask 0; stat -Lc '%a' . .. $POP_PAYLOAD_FILE; echo 5 > $POP_PROGRESS_FILE; exit 1";
    let told = launch(&runtime, "op", 1, script(text), json!({})).end().await;
    assert_eq!(told.log("stdout"), "700\n700\n600\n");
    assert_eq!(entries(&work.path().join("ag_1")), ["op.progress.json"]);
    runtime.forget("ag_1");
    runtime.idle().await;
    assert_eq!(entries(work.path()), [""; 0]);
}

#[tokio::test]
async fn an_input_with_secrets_is_not_in_the_work_folder() {
    let work = tempfile::tempdir().unwrap();
    let runtime = Local::open(config(work.path())).unwrap();
    let hidden = runtime.shared.work.memory().map(Path::to_path_buf);
    let mut spec = script("cat $POP_PAYLOAD_FILE | wc -c; grep -r s3cr3t . || echo none; sleep 1000");
    spec.secrets = vec!["/token".into()];
    let mut started = launch(&runtime, "op", 1, spec, json!({"token": "s3cr3t-value"}));
    let none = |s: &Signal| matches!(s, Signal::Log { text, .. } if text.contains("none"));
    started.until(none).await;
    let hidden = hidden.expect("there is memory on this machine");
    assert_eq!(entries(&hidden).len(), 1);
    started.stop.kill();
    started.end().await;
    assert_eq!(entries(&hidden), [""; 0]);
    drop(runtime);
}

#[tokio::test]
async fn a_successor_ends_what_its_predecessor_left_and_nothing_else() {
    let work = tempfile::tempdir().unwrap();
    let attempt = work.path().join("ag_1/op.1");
    fs::create_dir_all(&attempt).unwrap();
    let program = |mark: &Path| {
        std::process::Command::new("sleep")
            .arg("1000")
            .env(proc::MARK, mark.join("input.json"))
            .spawn()
            .unwrap()
    };
    let mut left = program(&attempt);
    let other = tempfile::tempdir().unwrap();
    let mut foreign = program(other.path());
    // A forged group file: the process id is right, the start time belongs to another process.
    fs::write(attempt.join(".group"), format!("{} 1", foreign.id())).unwrap();
    fs::write(attempt.join("input.json"), "{\"token\": \"s3cr3t\"}").unwrap();
    let runtime = Local::open(config(work.path())).unwrap();
    assert!(!left.wait().unwrap().success());
    assert_eq!(foreign.try_wait().unwrap(), None);
    assert_eq!(entries(&attempt), [""; 0]);
    foreign.kill().unwrap();
    foreign.wait().unwrap();
    drop(runtime);
}

/// The guard that cannot start is part of the test: programs run without a guard.
#[tokio::test]
async fn a_failure_after_a_lapsed_fence_says_nothing_about_the_program() {
    let work = tempfile::tempdir().unwrap();
    let runtime = Local::open(Config { guard: Some("/bin/false".into()), ..config(work.path()) }).unwrap();
    let lapse = || {
        runtime.fence_in(Some(Duration::ZERO));
        runtime.fence_in(None);
    };
    let text = "mkfifo go; echo up; read word <go; kill -9 $$";
    let mut started = launch(&runtime, "op", 1, script(text), json!({}));
    started.until(|s| matches!(s, Signal::Log { .. })).await;
    lapse();
    fs::write(work.path().join("ag_1/op.1/go"), "go\n").unwrap();
    let told = started.end().await;
    let failure = told.failure();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Infra, "LeaseDoubtful"), "{failure:?}");
    assert_eq!(failure.signal, Some(9));

    let told = launch(&runtime, "op", 2, script("kill -9 $$"), json!({})).end().await;
    assert_eq!(told.failure().class, FailureClass::User, "it began after the lapse");
}
