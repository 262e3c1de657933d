//! Harmful behaviour of programs and their surroundings, and its limits for a pool.

use std::process::Stdio;

use pop_sdk::api::OperationState;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::support::{POP, Service, pop, root, stderr};

/// Waits until no process holds this lock: the programs that held the lock are gone.
async fn unlocked(lock: &std::path::Path) {
    let waited = Command::new("flock").arg(lock).arg("true").status().await.expect("flock starts");
    assert!(waited.success());
}

#[tokio::test]
async fn every_signal_ends_a_run_and_its_programs() {
    for signal in ["TERM", "HUP", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        let flow = folder.path().join("s.pop.toml");
        let script = format!("exec 9>{}; flock 9; echo started; exec sleep 600", lock.display());
        let text = format!(
            "[workflow]\nname = \"s\"\n\n[operations.a]\nuses = \"t.a\"\n\n[catalog.\"t.a\"]\n\
             command = [\"sh\", \"-c\", \"{script}\"]\n"
        );
        std::fs::write(&flow, text).unwrap();
        let mut run = Command::new(POP)
            .arg("run")
            .arg(&flow)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
        while !lines.next_line().await.unwrap().expect("it says that `a` has started").contains("started") {}
        let id = run.id().unwrap().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().await.unwrap().success());
        let ended = run.wait().await.unwrap();
        assert_eq!(ended.code(), Some(4), "{signal}");
        unlocked(&lock).await;
    }
}

#[tokio::test]
async fn too_few_open_files_cost_no_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let operations: Vec<Value> =
        (0..80).map(|n| json!({ "name": format!("o{n}"), "type": "t.sleep" })).collect();
    let agenda = json!({
        "params": { "pop.types": { "t.sleep": { "command": ["sleep", "0.2"] } } }, "operations": operations
    });
    let (file, report) = (folder.path().join("a.json"), folder.path().join("report.json"));
    std::fs::write(&file, agenda.to_string()).unwrap();
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 64; exec \"$@\"",
            "sh",
            POP,
            "run",
            "--programs",
            "80",
            "--quiet",
            "--report",
        ])
        .args([&report, &file])
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let attempts = report["operations"].as_array().unwrap().iter().map(|o| o["attempt"].as_u64().unwrap());
    assert_eq!(attempts.max(), Some(1));
}

/// Every file below a folder that contains this text. Links are not followed, because an input with secrets lies in
/// memory.
fn holding(folder: &std::path::Path, text: &str) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path)
                .is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_secret_is_found_nowhere() {
    const SECRET: &str = "S3CR3T-aaaa-bbbb";
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("server");
    std::fs::create_dir(&work).unwrap();
    let (go_on, database) = (folder.path().join("go-on"), work.join("pop.db"));
    let made = Command::new("mkfifo").arg(&go_on).status().await.unwrap();
    assert!(made.success());
    let dev =
        Service::start(&["dev", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()]).await;
    let flow = folder.path().join("s.pop.toml");
    let script = format!("echo got $TOKEN; read line <{}; echo refused: $TOKEN >&2; exit 3", go_on.display());
    let text = format!(
        "[workflow]\nname = \"s\"\n\n[inputs]\ntoken = \"secret<string>\"\n\n[operations.a]\nuses = \"t.a\"\n\
         with = {{ t = \"${{inputs.token}}\" }}\n\n[catalog.\"t.a\"]\ninput = {{ t = \"secret<string>\" }}\n\
         env = {{ TOKEN = \"${{with.t}}\" }}\ncommand = [\"sh\", \"-c\", \"{script}\"]\n"
    );
    std::fs::write(&flow, text).unwrap();
    let set = format!("token={SECRET}");
    let submitted = pop(&["submit", flow.to_str().unwrap(), "--set", &set, "--server", &dev.address]).await;
    let id = String::from_utf8(submitted.stdout).unwrap().trim().to_owned();
    let run = dev.client().attach(&id).await.unwrap();
    // The program waits: while it runs, its input is nowhere on disk.
    let writer = tokio::task::spawn_blocking({
        let go_on = go_on.clone();
        move || std::fs::OpenOptions::new().write(true).open(go_on)
    });
    let mut opened = writer.await.unwrap().unwrap();
    assert_eq!(holding(&work, SECRET), [""; 0]);
    std::io::Write::write_all(&mut opened, b"go on\n").unwrap();
    drop(opened);
    let failed = run.wait::<Value>().await.unwrap_err();
    assert!(!failed.to_string().contains(SECRET), "{failed}");
    let view = run.view().await.unwrap();
    assert_eq!(view.operations[0].state, OperationState::Failed);
    assert_eq!(*view.failure.as_ref().unwrap().log_tail, ["refused: ***"]);
    let logs = dev.client().logs(&id, None, None).await.unwrap();
    let logs: String = logs.items.into_iter().map(|chunk| chunk.text).collect();
    assert_eq!(logs, "got ***\nrefused: ***\n");
    let events = crate::support::history(&run).await;
    assert!(!serde_json::to_string(&events).unwrap().contains(SECRET));
    assert_eq!(holding(&work, SECRET), [""; 0]);
}

#[tokio::test]
async fn this_machine_is_never_reached_through_a_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pop.db");
    let dev =
        Service::start(&["dev", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()]).await;
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy"] {
        let output = Command::new(POP)
            .args(["list", "--server", &dev.address])
            .env(name, "http://127.0.0.1:1")
            .current_dir(root())
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{name}: {}", stderr(&output));
    }
}

#[tokio::test]
async fn a_second_server_on_a_machine_leaves_the_first_alone() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |name: &str| {
        let database = folder.path().join(name);
        Service::start(&["dev", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()]).await
    };
    let first = start("a.db").await;
    let agenda = json!({
        "params": { "pop.types": { "t.sleep": { "command": ["sleep", "1"] } } },
        "operations": [{ "name": "a", "type": "t.sleep" }]
    });
    let run = first.client().submit_agenda(serde_json::from_value(agenda).unwrap()).await.unwrap();
    let second = start("b.db").await;
    run.wait::<Value>().await.expect("it is not disturbed");
    let view = run.view().await.unwrap();
    assert_eq!((view.epoch, view.operations[0].attempt), (1, 1));
    drop((first, second));
}
