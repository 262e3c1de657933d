//! The processes of attempts, and the end of orphans: programs that left their process group, outlived their attempt,
//! or belong to an earlier pool.
//!
//! This process is the reaper of all its descendants: a process whose parent has died becomes its child. The mark in
//! the environment of such a child names the child's attempt. A later version may give each attempt a control group;
//! [`Children::end`] would empty that group.

use std::collections::HashSet;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, geteuid, getpgrp, getpid, kill_process,
    kill_process_group, pidfd_open, pidfd_send_signal, set_child_subreaper, waitid,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::folder::GROUP;
use super::plain_file::{self, Content};
use super::proc;

/// Longest wait for the end of a killed process. Only a process that hangs in the kernel needs longer.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
/// Longest time for killing a program that keeps starting processes.
const HUNT: Duration = Duration::from_secs(10);

/// Whether only runtimes start children in this process.
static SOLE_PARENT: AtomicBool = AtomicBool::new(false);

/// Declares that only runtimes start children in this process. Each unknown child is then an orphan of some program:
/// the runtime reaps it, and kills it when no program runs any more. Only `main` may call this, because a process with
/// other code, such as tests, has other children.
pub fn be_sole_parent() {
    SOLE_PARENT.store(true, Ordering::Relaxed);
}

/// The children of this process.
#[derive(Debug)]
pub(super) struct Children {
    work: PathBuf,
    state: Mutex<State>,
    /// Held for reading during the start of a child, so that a new child is not taken for an orphan.
    starting: RwLock<()>,
    /// Notified when an attempt's folder becomes free.
    freed: Notify,
    /// Held while orphans are killed and reaped. A killed process shows no mark any more, so a second round at the same
    /// time would overlook it and return before its end.
    hunting: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Children that were started here and not reaped yet. The set also has the children from before the runtime, for
    /// example of a script that became this process; those do not concern a runtime.
    launched: HashSet<u32>,
    /// The folders of the running attempts.
    running: HashSet<PathBuf>,
}

/// The claim on an attempt's folder, held while this value lives.
#[derive(Debug)]
pub(super) struct Claim<'a>(&'a Children, PathBuf);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.ended(&self.1);
        self.0.freed.notify_waiters();
    }
}

impl Children {
    pub(super) fn new(work: PathBuf) -> Self {
        if let Err(error) = set_child_subreaper(Some(getpid())) {
            tracing::warn!(%error, "programs that leave their process group may outlive their attempt");
        }
        let state = State { launched: proc::children().into_iter().collect(), ..State::default() };
        let (state, starting, freed) = (Mutex::new(state), RwLock::default(), Notify::new());
        Self { work, state, starting, freed, hunting: Mutex::default() }
    }

    /// Claims an attempt's folder; none while an earlier start of the same attempt runs.
    pub(super) fn claim(&self, folder: &Path) -> Option<Claim<'_>> {
        let free = self.state().running.insert(folder.to_path_buf());
        free.then(|| Claim(self, folder.to_path_buf()))
    }

    /// Waits until a folder becomes free after this call.
    pub(super) fn freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.freed.notified()
    }

    /// Hold this lock from before the start of a child until the call of [`launched`](Self::launched).
    pub(super) fn starting(&self) -> RwLockReadGuard<'_, ()> {
        self.starting.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn launched(&self, pid: u32) {
        self.state().launched.insert(pid);
    }

    /// Records that a launched child was reaped.
    pub(super) fn reaped(&self, pid: u32) {
        self.state().launched.remove(&pid);
    }

    /// Makes every program that still runs for this attempt an orphan.
    fn ended(&self, folder: &Path) {
        self.state().running.remove(folder);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills every program of an attempt whose own process has ended. Blocks until none is left.
    pub(super) fn end(&self, folder: &Path) {
        let until = Instant::now() + HUNT;
        while self.round(|attempt, _| attempt == folder) && Instant::now() < until {}
    }

    /// Kills the orphans of ended attempts, and reaps the orphans that ended by themselves.
    pub(super) fn sweep(&self) {
        let until = Instant::now() + HUNT;
        while self.round(|attempt, state| !state.running.contains(attempt)) && Instant::now() < until {}
        let sole = SOLE_PARENT.load(Ordering::Relaxed);
        while sole && self.strangers() && Instant::now() < until {}
    }

    /// Kills the wanted orphans; false if none was found.
    fn round(&self, wanted: impl Fn(&Path, &State) -> bool) -> bool {
        let _one_at_a_time = self.hunting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut killed = Vec::new();
        for pid in proc::children() {
            if self.state().launched.contains(&pid) {
                continue;
            }
            let attempt = proc::mark(pid).and_then(|mark| proc::attempt_of(&mark, &self.work));
            // The attempt of a child that started just now is running, so `wanted` refuses the child.
            if attempt.is_some_and(|attempt| wanted(&attempt, &self.state())) {
                killed.extend(kill_child(pid));
            }
        }
        for pid in &killed {
            reap(*pid);
        }
        !killed.is_empty()
    }

    /// Reaps the ended orphans without a mark, and kills the others when no attempt runs to which they may belong.
    /// False if none was killed.
    fn strangers(&self) -> bool {
        let _nobody_starts = self.starting.write().unwrap_or_else(PoisonError::into_inner);
        let mut killed = Vec::new();
        for pid in proc::children() {
            let state = self.state();
            let Some(number) = number(pid).filter(|_| !state.launched.contains(&pid)) else { continue };
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            let alive = matches!(waitid(WaitId::Pid(number), options), Ok(None));
            if alive && state.running.is_empty() {
                killed.extend(kill_child(pid));
            }
        }
        for pid in &killed {
            reap(*pid);
        }
        !killed.is_empty()
    }
}

/// Kills a child. Until the child is reaped, its process id cannot belong to another process.
fn kill_child(pid: u32) -> Option<Pid> {
    let pid = number(pid)?;
    kill_process(pid, Signal::KILL).ok()?;
    Some(pid)
}

fn reap(pid: Pid) {
    if let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) {
        wait_for(&handle);
    }
    let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
}

fn wait_for(handle: &OwnedFd) {
    let _ = poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&PATIENCE));
}

/// Sends a signal to a whole process group; the group may be gone.
pub(super) fn kill_group(pid: u32, signal: Signal) {
    if let Some(pid) = number(pid) {
        let _ = kill_process_group(pid, signal);
    }
}

fn number(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Kills the programs that an earlier pool left running in `work`: their results are no longer reliable, and their
/// operations start again soon.
pub(super) fn end_leftovers(work: &Path) {
    for agenda in fs::read_dir(work).into_iter().flatten().flatten() {
        for attempt in fs::read_dir(agenda.path()).into_iter().flatten().flatten() {
            let note = attempt.path().join(GROUP);
            if let Ok(Content::Bytes(text)) = plain_file::read(&note, 64) {
                end_noted(&String::from_utf8_lossy(&text));
                plain_file::clear(&note);
            }
            // No process needs the input of a dead attempt, and the input may have secrets.
            plain_file::clear(&attempt.path().join("input.json"));
        }
    }
    end_marked(work);
}

/// Kills the process group of a group file, if the group's leader belongs to this user and has the recorded start time.
fn end_noted(note: &str) {
    let mut parts = note.split_whitespace();
    let (Some(pid), Some(start)) = (parts.next().and_then(|p| p.parse::<u32>().ok()), parts.next()) else {
        return;
    };
    let Some(leader) = number(pid).filter(|leader| *leader != getpgrp()) else { return };
    // The handle comes before the check of the start time, so the process id cannot pass to another process in between.
    let Ok(handle) = pidfd_open(leader, PidfdFlags::empty()) else { return };
    let ours = proc::owner(pid) == Some(geteuid().as_raw());
    if ours && proc::start_time(pid).is_some_and(|now| now == start) {
        kill_group(pid, Signal::KILL);
        wait_for(&handle);
    }
}

/// Kills every process of this user with the mark of an attempt below `work`, until none is left.
pub(super) fn end_marked(work: &Path) {
    let marked = |pid| proc::mark(pid).is_some_and(|mark| proc::attempt_of(&mark, work).is_some());
    let until = Instant::now() + HUNT;
    loop {
        let killed = kill_all(marked, || true);
        killed.iter().for_each(wait_for);
        if killed.is_empty() || Instant::now() > until {
            return;
        }
    }
}

/// Kills the processes that the runtime of this start has started below `work`, while `still` agrees. Returns whether
/// any was found. The killed processes may not be gone yet, and may have started others.
pub(super) fn kill_started(work: &Path, start: &str, still: impl FnMut() -> bool) -> bool {
    let started = |pid| {
        let Some(environment) = proc::environment(pid) else { return false };
        proc::value(&environment, proc::START) == Some(start.as_bytes())
            && proc::mark_in(&environment).is_some_and(|mark| proc::attempt_of(&mark, work).is_some())
    };
    !kill_all(started, still).is_empty()
}

/// Kills the wanted processes of this user, and returns their handles. Each handle exists before the call of `still`,
/// so processes that start after a changed answer are spared.
fn kill_all(wanted: impl Fn(u32) -> bool, mut still: impl FnMut() -> bool) -> Vec<OwnedFd> {
    let wanted = |pid: &u32| {
        number(*pid) != Some(getpid()) && proc::owner(*pid) == Some(geteuid().as_raw()) && wanted(*pid)
    };
    let mut killed = Vec::new();
    for pid in proc::all().into_iter().filter(wanted) {
        let handle = number(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        // The second check makes sure that the handle belongs to the wanted process.
        let Some(handle) = handle.filter(|_| wanted(&pid)) else { continue };
        if !still() {
            break;
        }
        if pidfd_send_signal(&handle, Signal::KILL).is_ok() {
            killed.push(handle);
        }
    }
    killed
}

/// Waits for a child that was asked to end, and kills the child after [`PATIENCE`]. Blocks until the child is gone.
pub(super) fn see_off(mut child: Child) {
    if let Some(handle) = number(child.id()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) {
        wait_for(&handle);
    }
    let _ = child.kill();
    let _ = child.wait();
}
