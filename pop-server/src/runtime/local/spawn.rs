//! Starts programs on other threads than those that drive attempts, a few at a time. When the system has no capacity
//! for another process, the start is repeated.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use pop_compiler::agenda::RunSpec;
use pop_sdk::api::{Failure, FailureClass};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, pidfd_open, prlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Shared;
use super::capture::Log;
use super::environment::{self, Filled};
use super::folder::Folder;
use super::limits;
use super::outcome::{io_failure, spawn_failure};
use super::process::Running;
use super::reports::Reports;
use super::watch::{ProgressFile, Watched};
use crate::run::fail;
use crate::runtime::attempts::Entry;
use crate::runtime::{Launch, Reporter, Signal, Stop};

/// The first and the longest pause before a start is repeated for lack of capacity.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Limits the number of simultaneous starts, and of attempts with open files.
#[derive(Debug)]
pub(super) struct Launcher {
    /// One for each processor: a start needs a processor, and further starts would only wait.
    starts: Semaphore,
    places: Arc<Semaphore>,
    /// Limit of a program's open files: the limit before this process raised its own.
    files: Rlimit,
}

/// The input of a start.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) shared: Arc<Shared>,
    pub(super) launch: Launch,
    pub(super) spec: Arc<RunSpec>,
    pub(super) filled: Filled,
    pub(super) folder: Folder,
    pub(super) reporter: Reporter,
    pub(super) log: Arc<Log>,
}

/// A running program with its resources.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) running: Running,
    /// Handle that shows the program's end; none if the system had no free one.
    pub(super) handle: Option<OwnedFd>,
    pub(super) folder: Folder,
    pub(super) entry: Option<Entry>,
    pub(super) watched: Watched,
}

/// Reasons why a program does not run.
enum NotStarted {
    /// The system lacks capacity; a later start may succeed.
    NoRoom(io::Error),
    Failed(Failure),
}

impl Launcher {
    pub(super) fn new() -> Self {
        let files = limits::raise_file_limit();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { starts: Semaphore::new(cores), places: Arc::new(Semaphore::new(limits::places())), files }
    }

    /// Waits until one more attempt may open its files.
    pub(super) async fn place(
        &self,
        reporter: &Reporter,
        stop: &Stop,
    ) -> Result<OwnedSemaphorePermit, Failure> {
        let places = Arc::clone(&self.places);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Ok(place);
        }
        reporter.send(Signal::Waiting {
            reason: "waits for a program to end: the limit of open files is reached (`ulimit -n`)".into(),
        });
        tokio::select! {
            () = stop.asked() => Err(stopped_before()),
            place = places.acquire_owned() => place.map_err(|_| stopped_before()),
        }
    }

    /// Starts a program, as soon as the system has the capacity.
    pub(super) async fn start(
        &self,
        job: Arc<Job>,
        reports: Option<&Arc<Reports>>,
        stop: &Stop,
    ) -> Result<Started, Failure> {
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(PAUSES.0)
            .with_max_delay(PAUSES.1)
            .without_max_times()
            .build();
        loop {
            let turn = tokio::select! {
                biased;
                () = stop.asked() => return Err(stopped_before()),
                turn = self.starts.acquire() => turn,
            };
            let (same, reports, files) = (Arc::clone(&job), reports.cloned(), self.files);
            let started = tokio::task::spawn_blocking(move || start(&same, reports.as_deref(), files)).await;
            drop(turn);
            match started {
                Ok(Ok(started)) => return Ok(started),
                Ok(Err(NotStarted::Failed(failure))) => return Err(failure),
                Ok(Err(NotStarted::NoRoom(error))) => {
                    let reason = format!("the system cannot start one more process: {error}");
                    job.reporter.send(Signal::Waiting { reason });
                }
                Err(error) => {
                    return Err(fail(
                        FailureClass::Platform,
                        "SpawnFailed",
                        format!("could not start the program: {error}"),
                    ));
                }
            }
            tokio::select! {
                () = stop.asked() => return Err(stopped_before()),
                () = tokio::time::sleep(pauses.next().unwrap_or(PAUSES.1)) => {}
            }
        }
    }
}

/// The failure of an attempt that was stopped while it waited.
pub(super) fn stopped_before() -> Failure {
    fail(FailureClass::User, "Stopped", "stopped before the program started")
}

fn start(job: &Job, reports: Option<&Reports>, files: Rlimit) -> Result<Started, NotStarted> {
    let mut folder = job.folder.clone();
    let started = try_start(job, &mut folder, reports, files);
    if started.is_err() {
        folder.tidy();
    }
    started
}

fn try_start(
    job: &Job,
    folder: &mut Folder,
    reports: Option<&Reports>,
    files: Rlimit,
) -> Result<Started, NotStarted> {
    let Job { shared, launch, filled, .. } = job;
    let (config, arguments) = (&shared.config, &filled.arguments);
    let failed = |what: &str, error: io::Error| match error {
        error if is_lack_of_room(&error) => NotStarted::NoRoom(error),
        error => NotStarted::Failed(io_failure(what, &error)),
    };
    // The guard must run first: this process may be gone from the instant at which the program runs.
    match shared.guard.ensure() {
        Err(error) if is_lack_of_room(&error) => return Err(NotStarted::NoRoom(error)),
        _ => {}
    }
    folder.create(launch.key.attempt).map_err(|e| failed("make the attempt's folder", e))?;
    folder
        .write_input(&shared.work, &filled.input, !job.log.masker.is_empty())
        .map_err(|e| failed("write the input file", e))?;
    let progress = ProgressFile::new(folder.progress(), job.reporter.clone(), Arc::clone(&job.log));
    let progress = Arc::new(progress);
    let entry = reports.map(|reports| reports.enter(folder.clone(), Arc::clone(&progress)));
    let report = reports.zip(entry.as_ref()).map(|(reports, entry)| (&*reports.url, &*entry.token));
    let variables = environment::variables(config, launch, filled, folder, shared.guard.start(), report);
    environment::check(arguments, &variables).map_err(NotStarted::Failed)?;

    let name = &arguments[0];
    let program = environment::locate(name, &config.base, &folder.path, &variables)
        .map_err(|e| NotStarted::Failed(spawn_failure(name, name.as_ref(), &e)))?;
    let mut command = Command::new(&program);
    if !name.contains('/') {
        command.arg0(name);
    }
    command.args(&arguments[1..]).current_dir(&folder.path).process_group(0).env_clear().envs(variables);
    command.stdin(if filled.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = {
        let _starting = shared.children.starting();
        let child = command.spawn().map_err(|error| match error {
            error if is_lack_of_room(&error) => NotStarted::NoRoom(error),
            error => NotStarted::Failed(spawn_failure(name, &program, &error)),
        })?;
        Running::new(child, Arc::clone(&shared.children))
    };
    // Setting the limit in the child would need code between fork and exec, and the slow way of starting. For an
    // instant the program runs with the larger limit, which only matters to programs that count their files by it.
    let _ = prlimit(number(running.child()), Resource::Nofile, files);
    folder.note_group(running.child().id());
    let handle = number(running.child()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let watched = shared.watch.add(progress);
    Ok(Started { running, handle, folder: folder.clone(), entry, watched })
}

fn number(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Whether the error is a temporary lack of files, processes or memory, which does not depend on the program.
fn is_lack_of_room(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::AGAIN | Errno::NOMEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lack_of_room_is_told_from_failures() {
        let is = |errno: Errno| is_lack_of_room(&io::Error::from(errno));
        assert!([Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM].into_iter().all(is));
        assert!(![Errno::NOENT, Errno::ACCESS, Errno::NOSPC, Errno::TOOBIG].into_iter().any(is));
        assert!(!is_lack_of_room(&io::Error::other("x")));
    }
}
