//! A pool's programs end in time even when the pool can't end them, after its kill or while it stands still.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pop_compiler::agenda::{Agenda, Operation, keys};
use pop_sdk::api::AgendaState;
use pop_sdk::client::Run;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::support::{Service, code, pop};

/// Longer than any step of these tests.
const LONG: Duration = Duration::from_secs(30);

/// A named pipe that shows a program's life. The program writes a line after opening the pipe, and its end closes the
/// pipe.
struct Life {
    path: PathBuf,
    begun: oneshot::Receiver<()>,
    over: oneshot::Receiver<()>,
}

impl Life {
    fn new(folder: &Path, name: &str) -> Self {
        let path = folder.join(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
        let ((begun_in, begun), (over_in, over)) = (oneshot::channel(), oneshot::channel());
        let pipe = path.clone();
        // Opening it waits for the program. A thread of a test that failed is left to itself.
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(fs::File::open(pipe).expect("the pipe opens"));
            let mut line = String::new();
            if pipe.read_line(&mut line).is_ok_and(|length| length > 0) {
                let _ = begun_in.send(());
            }
            if pipe.read_to_end(&mut Vec::new()).is_ok() {
                let _ = over_in.send(());
            }
        });
        Self { path, begun, over }
    }

    async fn begins(&mut self) {
        tokio::time::timeout(LONG, &mut self.begun).await.expect("it begins in time").expect("it begins");
    }

    /// Waits until every process with the open pipe has ended.
    async fn ends(self) {
        tokio::time::timeout(LONG, self.over).await.expect("it ends in time").expect("it ends");
    }

    async fn goes_on(&mut self) {
        let soon = tokio::time::timeout(Duration::from_millis(200), &mut self.over).await;
        assert!(soon.is_err(), "the program was ended");
    }
}

/// An agenda of one operation that runs this script with the pipe as `$1`.
fn script(script: &str, life: &Path) -> Agenda {
    let command = ["sh", "-c", script, "t", life.to_str().expect("UTF-8")];
    let params = json!({ keys::TYPES: { "t": { "command": command } } });
    Agenda {
        operations: vec![Operation { name: "only".into(), kind: "t".into(), ..Operation::default() }].into(),
        params: params.as_object().cloned().unwrap_or_default(),
        ..Agenda::default()
    }
}

/// A program that does not end, with a helper in a session of its own.
const ENDLESS: &str = "exec 9>\"$1\"; setsid sleep 600 & echo up >&9; exec sleep 600";

/// An agenda whose first attempt does not end, and whose later attempts fail while the first one lives.
fn endless_once(lock: &Path, life: &Path) -> Agenda {
    let lock = lock.to_str().expect("UTF-8");
    let text = format!(
        "exec 8>{lock}; flock -n 8 || exit 7; [ $POP_ATTEMPT = 1 ] || exit 0; exec 9>\"$1\"; echo up >&9; exec sleep 600"
    );
    script(&text, life)
}

async fn server(folder: &Path, lease: &str) -> Service {
    let database = folder.join("pop.db");
    let database = database.to_str().expect("UTF-8");
    Service::start(&["server", "--listen", "127.0.0.1:0", "--database", database, "--lease", lease]).await
}

/// A pool of one slot. A pool with its agenda asks for no more work, so a suspended pool gets none.
async fn pool(folder: &Path, server: &Service, name: &str) -> Service {
    pool_of(folder, server, name, "1").await
}

async fn pool_of(folder: &Path, server: &Service, name: &str, slots: &str) -> Service {
    let work = folder.join(name);
    let work = work.to_str().expect("UTF-8");
    Service::start(&[
        "pool",
        "--server",
        &server.address,
        "--name",
        name,
        "--slots",
        slots,
        "--work-dir",
        work,
    ])
    .await
}

async fn submit(server: &Service, agenda: Agenda) -> Run {
    server.client().submit_agenda(agenda).await.expect("accepted")
}

/// The guards of pools whose work folder is below this one.
fn guards(folder: &Path) -> Vec<Pid> {
    let folder = fs::canonicalize(folder).expect("it is there");
    let entries = fs::read_dir("/proc").expect("readable").flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_guard = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("\0guard\0") && line.contains(&*folder.to_string_lossy())
    };
    numbers.filter(is_guard).filter_map(Pid::from_raw).collect()
}

#[tokio::test]
async fn the_programs_of_a_killed_pool_end() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "30s").await;
    let first = pool(folder.path(), &server, "first").await;
    let mut life = Life::new(folder.path(), "life");
    let mut others = Life::new(folder.path(), "others");
    submit(&server, script(ENDLESS, &life.path)).await;
    life.begins().await;
    let second = pool(folder.path(), &server, "second").await;
    submit(&server, script(ENDLESS, &others.path)).await;
    others.begins().await;
    first.kill().await;
    life.ends().await;
    others.goes_on().await;
    second.stop().await;
    others.ends().await;
}

#[tokio::test]
async fn a_new_pool_in_the_folder_of_a_killed_one_keeps_its_programs() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "30s").await;
    let first = pool(folder.path(), &server, "same").await;
    let (mut old, mut new) = (Life::new(folder.path(), "old"), Life::new(folder.path(), "new"));
    submit(&server, endless_once(&folder.path().join("lock"), &old.path)).await;
    old.begins().await;
    let [guard] = guards(folder.path())[..] else { panic!("one pool, one guard") };
    // The first pool's guard finds out about its end only when the second one's program runs.
    kill_process(guard, Signal::STOP).unwrap();
    first.kill().await;
    let second = pool(folder.path(), &server, "same").await;
    old.ends().await;
    submit(&server, script(ENDLESS, &new.path)).await;
    new.begins().await;
    let handle = rustix::process::pidfd_open(guard, rustix::process::PidfdFlags::empty()).unwrap();
    kill_process(guard, Signal::CONT).unwrap();
    let gone = tokio::task::spawn_blocking(move || {
        let limit = rustix::event::Timespec { tv_sec: 30, tv_nsec: 0 };
        rustix::event::poll(
            &mut [rustix::event::PollFd::new(&handle, rustix::event::PollFlags::IN)],
            Some(&limit),
        )
    });
    assert_eq!(gone.await.unwrap(), Ok(1), "the guard of a pool that is gone ends");
    new.goes_on().await;
    second.kill().await;
    new.ends().await;
}

#[tokio::test]
async fn the_programs_of_a_pool_that_stands_still_end_before_others_start_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "2s").await;
    let first = pool(folder.path(), &server, "first").await;
    let mut life = Life::new(folder.path(), "life");
    let run = submit(&server, endless_once(&folder.path().join("lock"), &life.path)).await;
    life.begins().await;
    first.signal("STOP").await;
    let second = pool(folder.path(), &server, "second").await;
    let _: Value = run.wait().await.expect("the second attempt finds no other one");
    assert_eq!(run.view().await.unwrap().operations[0].attempt, 2);
    life.ends().await;
    second.stop().await;

    first.signal("CONT").await;
    let mut life = Life::new(folder.path(), "again");
    let run = submit(&server, script("exec 9>\"$1\"; echo up >&9; sleep 3", &life.path)).await;
    life.begins().await;
    let _: Value = run.wait().await.expect("a pool that goes on works as before");
    assert_eq!(run.view().await.unwrap().operations[0].attempt, 1);
    first.stop().await;
    assert_eq!(guards(folder.path()), [], "a pool that ends takes its guard along");
}

#[tokio::test]
async fn standing_still_is_no_fault_of_the_programs() {
    let folder = tempfile::tempdir().unwrap();
    let (database, work) = (folder.path().join("pop.db"), folder.path().join("work"));
    let (database, work) = (database.to_str().unwrap(), work.to_str().unwrap());
    let arguments =
        ["dev", "--listen", "127.0.0.1:0", "--database", database, "--work-dir", work, "--lease", "2s"];
    let dev = Service::start(&arguments).await;
    let mut life = Life::new(folder.path(), "life");
    let run = submit(&dev, endless_once(&folder.path().join("lock"), &life.path)).await;
    life.begins().await;
    dev.signal("STOP").await;
    life.ends().await;
    dev.signal("CONT").await;
    let _: Value = run.wait().await.expect("it is tried again, without a failure of its own");
    assert_eq!(run.view().await.unwrap().state, AgendaState::Succeeded);
    dev.stop().await;
}

#[tokio::test]
async fn a_guard_that_died_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "30s").await;
    let pool = pool_of(folder.path(), &server, "pool", "2").await;
    let (mut first, mut second) = (Life::new(folder.path(), "first"), Life::new(folder.path(), "second"));
    submit(&server, script(ENDLESS, &first.path)).await;
    first.begins().await;
    let [guard] = guards(folder.path())[..] else { panic!("one pool, one guard") };
    kill_process(guard, Signal::KILL).unwrap();
    submit(&server, script(ENDLESS, &second.path)).await;
    second.begins().await;
    assert_ne!(guards(folder.path()), [guard]);
    assert_eq!(guards(folder.path()).len(), 1);
    pool.kill().await;
    first.ends().await;
    second.ends().await;
}

#[tokio::test]
async fn a_run_without_a_server_takes_its_guard_along() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agenda.json");
    let agenda = script("exec 9>\"$1\"; echo up >&9", &folder.path().join("life"));
    fs::write(&file, serde_json::to_vec(&agenda).unwrap()).unwrap();
    let (work, file) = (folder.path().join("work"), file.to_str().unwrap());
    let ended = pop(&["run", file, "--quiet", "--work-dir", work.to_str().unwrap()]).await;
    assert_eq!(code(&ended), Some(0), "{}", crate::support::stderr(&ended));
    assert_eq!(guards(folder.path()), []);
}
