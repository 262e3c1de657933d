//! Runs one attempt from its launch to its end.

use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use pop_compiler::agenda::RunSpec;
use pop_sdk::api::{Failure, FailureClass};
use rustix::process::{Pid, Signal as UnixSignal, WaitId, WaitIdOptions, waitid};
use serde_json::Value;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::capture::{Log, Want, read};
use super::children::{Children, Claim, kill_group};
use super::environment::Filled;
use super::folder::Folder;
use super::outcome::{End, io_failure, outcome};
use super::spawn::{Job, Started, stopped_before};
use crate::run::Masker;
use crate::run::fail;
use crate::runtime::{Launch, Reporter, Signal, Stop};

/// Time for which streams may stay open after the program's end, because a process of the program may hold them.
const DRAIN: Duration = Duration::from_secs(1);
/// Time for which streams may stay open after all known processes were killed.
const LAST_DRAIN: Duration = Duration::from_millis(250);
/// Interval of checks for the program's end, if no handle of the process is available.
const POLL: Duration = Duration::from_millis(20);

/// Runs one attempt to its end.
pub(super) async fn run(
    shared: &Arc<Shared>,
    launch: Launch,
    spec: Arc<RunSpec>,
    reporter: Reporter,
    stop: &Stop,
) -> Result<Value, Failure> {
    let masker = Arc::new(Masker::new(&launch.payload, &spec.secrets));
    let log = Arc::new(Log::new(reporter.clone(), Arc::clone(&masker)));
    let filled = Filled::new(&spec, &launch);
    let run = async {
        let folder = Folder::new(shared.work.path(), &launch.agenda, &launch.operation, launch.key.attempt);
        let claim = claim(shared, &folder, &reporter, stop).await?;
        let place = shared.launcher.place(&reporter, stop).await?;
        let reports = shared.reports().await;
        let job = Job { shared: Arc::clone(shared), launch, spec, filled: filled?, folder, reporter, log };
        let job = Arc::new(job);
        let started = shared.launcher.start(Arc::clone(&job), reports, stop).await?;
        let outcome = supervise(&job, started, stop).await;
        drop((place, claim));
        if outcome.is_ok() {
            // Leftover processes end too, but the result does not wait for their end.
            shared.watch.sweep_soon();
        }
        outcome
    };
    let mut outcome = run.await;
    if let Err(failure) = &mut outcome {
        masker.mask_failure(failure);
    }
    outcome
}

/// Waits until no earlier start of the same attempt runs. A program whose lease was lost may still have time to save.
async fn claim<'a>(
    shared: &'a Shared,
    folder: &Folder,
    reporter: &Reporter,
    stop: &Stop,
) -> Result<Claim<'a>, Failure> {
    let mut said = false;
    loop {
        let mut freed = std::pin::pin!(shared.children.freed());
        freed.as_mut().enable();
        if let Some(claim) = shared.children.claim(&folder.path) {
            return Ok(claim);
        }
        if !std::mem::replace(&mut said, true) {
            let reason = "an earlier start of the same attempt has not ended yet".into();
            reporter.send(Signal::Waiting { reason });
        }
        tokio::select! {
            () = stop.asked() => return Err(stopped_before()),
            () = freed => {}
        }
    }
}

async fn supervise(job: &Arc<Job>, started: Started, stop: &Stop) -> Result<Value, Failure> {
    let Started { mut running, handle, folder, entry, watched } = started;
    let config = &job.shared.config;
    let lapses = job.shared.guard.lapses();
    job.reporter.send(Signal::Started);
    let exit = Exit::new(handle, running.pid());
    let (cut, flooded) = (CancellationToken::new(), CancellationToken::new());
    let _cut = cut.clone().drop_guard();
    feed(running.stdin(), job.filled.stdin.clone(), cut.clone());
    let want = if crate::run::stdout_is_output(&job.spec) {
        Want::Output(config.output_limit)
    } else {
        Want::Log(config.log_limit)
    };
    let (stdout, stderr) = running.streams().map_err(|e| io_failure("read what the program writes", &e))?;
    let mut streams = std::pin::pin!(async {
        let out = read(stdout, "stdout", want, &job.log, &cut, &flooded);
        let err = read(stderr, "stderr", Want::Log(config.log_limit), &job.log, &cut, &flooded);
        tokio::join!(out, err)
    });

    let mut captured = None;
    let mut kill_at: Option<Instant> = None;
    let mut killed = false;
    loop {
        tokio::select! {
            () = exit.wait() => break,
            got = &mut streams, if captured.is_none() => captured = Some(got),
            () = asked(stop, &flooded), if kill_at.is_none() => {
                running.signal(UnixSignal::TERM);
                // A suspended program could not react to the signal.
                running.signal(UnixSignal::CONT);
                kill_at = Some(Instant::now() + config.grace);
            }
            () = out_of_time(stop, kill_at), if !killed => {
                running.signal(UnixSignal::KILL);
                killed = true;
            }
        }
    }

    // A later stop does not count: the program has ended by itself.
    let stopped = stop.is_asked();
    // The program has ended but is not reaped, so its process id still names its group. Other processes of the group
    // may write a little longer.
    if captured.is_none() && !killed {
        tokio::select! {
            got = &mut streams => captured = Some(got),
            () = tokio::time::sleep(DRAIN) => {}
            () = stop.killed() => {}
        }
    }
    running.signal(UnixSignal::KILL);
    let status = running.reap().map_err(|e| io_failure("wait for the program", &e))?;
    let clean = status.success() && !stopped;
    let (out, err) = if let Some(both) = captured {
        both
    } else {
        if !clean {
            let (job, path) = (Arc::clone(job), folder.path.clone());
            blocking(move || job.shared.children.end(&path)).await?;
        }
        let rest = tokio::time::timeout(LAST_DRAIN, &mut streams).await;
        cut.cancel();
        match rest {
            Ok(both) => both,
            Err(_) => streams.await,
        }
    };
    let job = Arc::clone(job);
    blocking(move || {
        // From here on, no report of the attempt counts.
        drop(entry);
        watched.file.close();
        drop(watched);
        let children = &job.shared.children;
        if !clean {
            children.end(&folder.path);
        }
        let fenced = job.shared.guard.has_lapsed_since(lapses);
        let end = End { status, out, err, stopped, fenced };
        let outcome = outcome(end, &job.spec, &folder, job.shared.config.output_limit);
        match &outcome {
            Ok(_) => folder.drop_progress(),
            Err(_) => folder.keep_progress(),
        }
        if clean && outcome.is_err() {
            children.end(&folder.path);
        }
        folder.tidy();
        outcome
    })
    .await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        fail(FailureClass::Platform, "Internal", format!("could not end the attempt in good order: {error}"))
    })
}

async fn asked(stop: &Stop, flooded: &CancellationToken) {
    tokio::select! {
        () = stop.asked() => {}
        () = flooded.cancelled() => {}
    }
}

async fn out_of_time(stop: &Stop, kill_at: Option<Instant>) {
    tokio::select! {
        () = stop.killed() => {}
        () = async {
            match kill_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        } => {}
    }
}

/// Writes a program's standard input in a task of its own. A program may write much before it reads, and may end
/// without reading.
fn feed(pipe: Option<ChildStdin>, text: Option<String>, cut: CancellationToken) {
    if let (Some(text), Some(pipe)) = (text, pipe)
        && let Ok(mut pipe) = tokio::process::ChildStdin::from_std(pipe)
    {
        tokio::spawn(async move {
            tokio::select! {
                _ = pipe.write_all(text.as_bytes()) => {}
                () = cut.cancelled() => {}
            }
        });
    }
}

/// A child that has not been reaped. A drop before the reaping, when this process ends, kills the child.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    children: Arc<Children>,
    reaped: bool,
}

impl Running {
    pub(super) fn new(child: Child, children: Arc<Children>) -> Self {
        children.launched(child.id());
        Self { child, children, reaped: false }
    }

    pub(super) fn child(&self) -> &Child {
        &self.child
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the whole group. The group has the child's process id until the child is reaped.
    fn signal(&self, signal: UnixSignal) {
        if !self.reaped {
            kill_group(self.child.id(), signal);
        }
    }

    fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    fn streams(
        &mut self,
    ) -> std::io::Result<(Option<tokio::process::ChildStdout>, Option<tokio::process::ChildStderr>)> {
        let (out, err): (Option<ChildStdout>, Option<ChildStderr>) =
            (self.child.stdout.take(), self.child.stderr.take());
        Ok((
            out.map(tokio::process::ChildStdout::from_std).transpose()?,
            err.map(tokio::process::ChildStderr::from_std).transpose()?,
        ))
    }

    /// Reaps a child that has ended, and returns its status.
    fn reap(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait();
        self.reaped = true;
        self.children.reaped(self.child.id());
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(UnixSignal::KILL);
            let _ = self.reap();
        }
    }
}

/// Waits for the end of a child without reaping the child.
enum Exit {
    Handle(AsyncFd<OwnedFd>),
    Asked(Option<Pid>),
}

impl Exit {
    fn new(handle: Option<OwnedFd>, pid: u32) -> Self {
        #[expect(deprecated, reason = "the new way is unsafe; an `OwnedFd` can't be closed under it")]
        let handle = handle.map(|handle| AsyncFd::with_interest(handle, Interest::READABLE));
        match handle {
            Some(Ok(handle)) => Self::Handle(handle),
            _ => Self::Asked(i32::try_from(pid).ok().and_then(Pid::from_raw)),
        }
    }

    async fn wait(&self) {
        match self {
            Self::Handle(handle) => {
                // An error means that the reactor ends, and this task with it.
                if handle.readable().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Self::Asked(pid) => {
                let Some(pid) = *pid else { return };
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
                while matches!(waitid(WaitId::Pid(pid), options), Ok(None)) {
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }
}
