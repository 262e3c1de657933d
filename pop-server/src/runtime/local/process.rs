//! One child process from spawn to exit.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use pop_compiler::agenda::{RunSpec, Stdout};
use pop_sdk::api::{Failure, FailureClass};
use rustix::process::Signal as UnixSignal;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::capture::{Captured, Want, read};
use super::desk::{Place, Served};
use super::files::{Folder, kill_group};
use super::note::Note;
use super::{Config, command};
use crate::run::fail;
use crate::runtime::{Launch, Reporter, Signal, Stop};

/// The largest input that also goes into the environment (Linux takes 128 KiB for one variable).
const ENVIRONMENT_LIMIT: usize = 96 * 1024;
/// How often the progress file is looked at.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);
/// How long pipes may stay open after the program has ended (a grandchild may hold them).
const DRAIN: Duration = Duration::from_secs(1);

/// Runs one attempt to its end.
pub(super) async fn run(
    config: &Config,
    desk: Option<&Served>,
    launch: &Launch,
    spec: &RunSpec,
    reporter: &Reporter,
    stop: &Stop,
) -> Result<Value, Failure> {
    let arguments = command::arguments(&spec.command, &launch.payload)?;
    let variables = command::environment(&spec.env, &launch.payload)?;
    let stdin = spec.stdin.as_deref().map(|t| command::stdin(t, &launch.payload)).transpose()?;
    let folder = Folder::create(&config.work, &launch.agenda, &launch.operation, launch.key.attempt)
        .map_err(|e| io_failure("make the attempt's folder", &e))?;
    let input = launch.payload.to_string();
    std::fs::write(folder.input(), &input).map_err(|e| io_failure("write the input file", &e))?;

    let program = program(&arguments, &config.base);
    let mut command = Command::new(&program);
    command.args(&arguments[1..]).current_dir(&folder.path).process_group(0).env_clear();
    command.envs(environment(config, launch, variables, &folder, input));
    let place = desk.map(|desk| desk.place(&folder));
    if let Some(place) = &place {
        command.env("POP_REPORT_URL", &place.url).env("POP_TOKEN", &place.token);
    }
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|e| spawn_failure(&arguments[0], &program, &e));
    let outcome = match child {
        Ok(mut child) => {
            feed(&mut child, stdin);
            supervise(config, child, spec, &folder, place.as_ref(), reporter, stop).await
        }
        Err(failure) => Err(failure),
    };
    // From here on the attempt has said what it had to say.
    drop(place);
    match &outcome {
        Ok(_) => folder.drop_progress(),
        Err(_) => folder.keep_progress(),
    }
    folder.tidy();
    outcome
}

async fn supervise(
    config: &Config,
    mut child: Child,
    spec: &RunSpec,
    folder: &Folder,
    place: Option<&Place>,
    reporter: &Reporter,
    stop: &Stop,
) -> Result<Value, Failure> {
    let pid = child.id().unwrap_or_default();
    folder.note_group(pid);
    reporter.send(Signal::Started);
    let want = if crate::run::stdout_is_output(spec) {
        Want::Output(config.output_limit)
    } else {
        Want::Log(config.log_limit)
    };
    let stdout = spawn_read(child.stdout.take(), "stdout", want, reporter);
    let stderr = spawn_read(child.stderr.take(), "stderr", Want::Log(config.log_limit), reporter);
    tokio::pin!(stdout);

    let mut progress = ProgressFile::new(folder.progress());
    let mut look = tokio::time::interval(PROGRESS_INTERVAL);
    let mut early: Option<Captured> = None;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            got = &mut stdout, if early.is_none() => {
                let got = got.unwrap_or_default();
                let flooded = got.overflow && matches!(want, Want::Output(_));
                early = Some(got);
                if flooded {
                    break end_group(&mut child, pid, config.grace).await;
                }
            }
            () = stop.asked() => break end_group(&mut child, pid, config.grace).await,
            _ = look.tick() => progress.read(reporter),
            () = said(place) => progress.read(reporter),
        }
    };
    progress.read(reporter);
    // Whatever the program started and left behind goes with it.
    let drained = async {
        let out = match early {
            Some(captured) => captured,
            None => stdout.await.unwrap_or_default(),
        };
        (out, stderr.await.unwrap_or_default())
    };
    tokio::pin!(drained);
    let early_end = tokio::time::timeout(DRAIN, &mut drained).await;
    kill_group(pid, UnixSignal::KILL);
    let (out, err) = match early_end {
        Ok(both) => both,
        Err(_) => drained.await,
    };
    let status = status.map_err(|e| io_failure("wait for the program", &e))?;
    if out.overflow && matches!(want, Want::Output(_)) {
        return Err(fail(
            FailureClass::User,
            "OutputTooLarge",
            format!(
                "standard output is the operation's output, and it grew over {} bytes; write large data to a file and pass its path on",
                config.output_limit
            ),
        ));
    }
    if stop.is_asked() {
        return Err(stopped(status, &err));
    }
    if !status.success() {
        return Err(exit_failure(status, folder, &out, &err));
    }
    output(config, spec, folder, out.bytes, &err)
}

/// Gives a program its standard input, from a task of its own: it may write much before it reads, and may end without
/// reading.
fn feed(child: &mut Child, stdin: Option<String>) {
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        tokio::spawn(async move {
            let _ = pipe.write_all(text.as_bytes()).await;
        });
    }
}

async fn said(place: Option<&Place>) {
    match place {
        Some(place) => place.said().await,
        None => std::future::pending().await,
    }
}

fn spawn_read<R: tokio::io::AsyncRead + Unpin + Send + 'static>(
    stream: Option<R>,
    name: &'static str,
    want: Want,
    reporter: &Reporter,
) -> tokio::task::JoinHandle<Captured> {
    let reporter = reporter.clone();
    tokio::spawn(async move {
        match stream {
            Some(stream) => read(stream, name, want, &reporter).await,
            None => Captured::default(),
        }
    })
}

/// SIGTERM, time to save, SIGKILL; for the whole group.
async fn end_group(child: &mut Child, pid: u32, grace: Duration) -> io::Result<ExitStatus> {
    kill_group(pid, UnixSignal::TERM);
    if let Ok(status) = tokio::time::timeout(grace, child.wait()).await {
        return status;
    }
    kill_group(pid, UnixSignal::KILL);
    child.wait().await
}

fn program(arguments: &[String], base: &Path) -> PathBuf {
    let name = Path::new(&arguments[0]);
    // A bare name is looked up on PATH; a path is a path, from the base rather than from the attempt's folder.
    if arguments[0].contains('/') && name.is_relative() { base.join(name) } else { name.to_path_buf() }
}

fn environment(
    config: &Config,
    launch: &Launch,
    variables: Vec<(String, String)>,
    folder: &Folder,
    input: String,
) -> Vec<(String, String)> {
    let mut env = config.environment.clone();
    env.extend(variables);
    let mut set = |key: &str, value: String| env.push((key.to_owned(), value));
    let file = |path: PathBuf| path.to_string_lossy().into_owned();
    if input.len() <= ENVIRONMENT_LIMIT {
        set("PAYLOAD", input);
    }
    set("POP_PAYLOAD_FILE", file(folder.input()));
    set("POP_OUTPUT_FILE", file(folder.output()));
    set("POP_PROGRESS_FILE", file(folder.progress()));
    set("POP_FAILURE_FILE", file(folder.failure()));
    if launch.key.attempt > 1
        && let Ok(text) = std::fs::read_to_string(folder.reached())
        && let Some(line) = last_line(&text).filter(|line| parse_progress(line).is_some())
    {
        set("POP_LAST_PROGRESS_FILE", file(folder.reached().to_path_buf()));
        if line.len() <= ENVIRONMENT_LIMIT {
            set("LAST_PROGRESS", line.to_owned());
        }
    }
    set("AGENDA_ID", launch.agenda.clone());
    set("OPERATION_NAME", launch.operation.clone());
    set("OPERATION_TYPE", launch.kind.clone());
    set("POP_ATTEMPT", launch.key.attempt.to_string());
    if let Some(id) = &launch.operation_id {
        set("OPERATION_ID", id.clone());
    }
    if let Some(customer) = &launch.customer {
        set("CUSTOMER_ID", customer.clone());
    }
    set("CID", launch.cid.clone().unwrap_or_else(|| launch.agenda.clone()));
    env
}

/// The operation's output: its output file if it wrote one, else the failure that it left behind although it exited well,
/// else what its standard output means.
fn output(
    config: &Config,
    spec: &RunSpec,
    folder: &Folder,
    stdout: Vec<u8>,
    err: &Captured,
) -> Result<Value, Failure> {
    let invalid = |message: String| fail(FailureClass::User, "OutputInvalid", message);
    if std::fs::metadata(folder.output()).is_ok_and(|m| m.len() > config.output_limit) {
        return Err(fail(
            FailureClass::User,
            "OutputTooLarge",
            format!(
                "what it wrote to POP_OUTPUT_FILE is over {} bytes; write large data to a file of its own and pass its path on",
                config.output_limit
            ),
        ));
    }
    match std::fs::read(folder.output()) {
        Ok(bytes) => {
            return serde_json::from_slice(&bytes)
                .map_err(|e| invalid(format!("what it wrote to POP_OUTPUT_FILE is not JSON: {e}")));
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(io_failure("read the output file", &e)),
    }
    if let Some(mut failure) = Note::read(folder, false) {
        failure.exit_code = Some(0);
        failure.log_tail.clone_from(&err.tail);
        return Err(failure);
    }
    let text = |bytes| {
        String::from_utf8(bytes).map_err(|_| invalid("its standard output is not UTF-8 text".to_owned()))
    };
    match spec.stdout {
        Stdout::Log => Ok(Value::Object(Map::new())),
        Stdout::Json if stdout.trim_ascii().is_empty() => Err(fail(
            FailureClass::User,
            "OutputMissing",
            "it exited well but wrote no output: its type says `stdout = \"json\"`",
        )),
        Stdout::Json => serde_json::from_slice(&stdout)
            .map_err(|e| invalid(format!("its standard output is not the JSON that its type promises: {e}"))),
        Stdout::Text => Ok(json!({ "text": text(stdout)? })),
        Stdout::Lines => Ok(json!({ "lines": text(stdout)?.lines().collect::<Vec<_>>() })),
    }
}

fn spawn_failure(name: &str, program: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound if name.contains('/') => fail(
            FailureClass::Config,
            "ProgramNotFound",
            format!("program `{}` does not exist", program.display()),
        ),
        io::ErrorKind::NotFound => fail(
            FailureClass::Config,
            "ProgramNotFound",
            format!(
                "program `{name}` is not on the PATH of this pool; install it there or correct `command`"
            ),
        ),
        io::ErrorKind::PermissionDenied => fail(
            FailureClass::Config,
            "ProgramNotExecutable",
            format!("program `{}` may not be executed; is it executable (`chmod +x`)?", program.display()),
        ),
        io::ErrorKind::ArgumentListTooLong => fail(
            FailureClass::User,
            "ArgumentsTooLong",
            "the command line is longer than the system takes; pass large values through `stdin` or POP_PAYLOAD_FILE",
        ),
        _ => fail(FailureClass::Infra, "SpawnFailed", format!("program `{name}` can't be started: {error}")),
    }
}

fn exit_failure(status: ExitStatus, folder: &Folder, out: &Captured, err: &Captured) -> Failure {
    let tail = if err.tail.is_empty() { &out.tail } else { &err.tail };
    let noted = Note::read(folder, status.signal().is_some());
    let mut failure = noted.unwrap_or_else(|| match (status.code(), status.signal()) {
        (Some(code), _) => {
            fail(FailureClass::User, "ExitCode", format!("the program exited with code {code}"))
        }
        (None, Some(9)) => fail(
            FailureClass::User,
            "Signal",
            "the program was killed (signal 9); running out of memory is the usual cause",
        ),
        (None, signal) => fail(
            FailureClass::User,
            "Signal",
            format!("the program was ended by signal {}", signal.unwrap_or_default()),
        ),
    });
    failure.exit_code = status.code();
    failure.signal = status.signal();
    failure.log_tail.clone_from(tail);
    failure
}

fn stopped(status: ExitStatus, err: &Captured) -> Failure {
    let mut failure = fail(FailureClass::User, "Stopped", "the program was stopped");
    failure.exit_code = status.code();
    failure.signal = status.signal();
    failure.log_tail.clone_from(&err.tail);
    failure
}

fn io_failure(what: &str, error: &io::Error) -> Failure {
    fail(FailureClass::Infra, "PoolIo", format!("could not {what}: {error}"))
}

/// `$POP_PROGRESS_FILE`: a number, or `{"percent": …, "message": …}`.
struct ProgressFile {
    path: PathBuf,
    last: Option<(f64, Option<String>)>,
}

impl ProgressFile {
    fn new(path: PathBuf) -> Self {
        Self { path, last: None }
    }

    fn read(&mut self, reporter: &Reporter) {
        let Ok(text) = std::fs::read_to_string(&self.path) else { return };
        // A half-written file parses next time.
        let Some(line) = last_line(&text) else { return };
        let Some(now) = parse_progress(line) else { return };
        if self.last.as_ref() != Some(&now) {
            reporter.send(Signal::Progress { percent: now.0, message: now.1.clone() });
            self.last = Some(now);
        }
    }
}

/// The last line that is not empty: a program may write one after the other.
fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| !line.trim().is_empty())
}

pub(super) fn parse_progress(line: &str) -> Option<(f64, Option<String>)> {
    match serde_json::from_str(line.trim()).ok()? {
        Value::Number(n) => Some((n.as_f64()?, None)),
        Value::Object(map) => {
            let percent = map.get("percent").or_else(|| map.get("percentComplete"))?.as_f64()?;
            Some((percent, map.get("message").and_then(Value::as_str).map(str::to_owned)))
        }
        _ => None,
    }
}
