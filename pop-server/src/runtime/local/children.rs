//! Who runs for which attempt, and the end of those whom nobody waits for: programs that left their process group, that
//! outlived their attempt, or an earlier pool.
//!
//! This process is the reaper of all its descendants: one whose parent has died becomes a child of this process. Such a
//! child is known by the mark in its environment, which names its attempt. A later version may give each attempt a
//! control group where one can be had; [`Children::end`] is where it would be emptied.

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

/// How long a killed process may take to be gone. Only one that hangs in the kernel needs longer.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
/// How long the hunt for a program that keeps making new processes goes on.
const HUNT: Duration = Duration::from_secs(10);

/// Whether only runtimes start children in this process.
static SOLE_PARENT: AtomicBool = AtomicBool::new(false);

/// Says that nothing but runtimes starts children in this process. Then each child that is not known has lost its parent,
/// and belongs to some program: it is reaped, and killed when no program runs any more. For `main` to call: a process that
/// holds other code, such as tests, has other children.
pub fn be_sole_parent() {
    SOLE_PARENT.store(true, Ordering::Relaxed);
}

/// The children of this process.
#[derive(Debug)]
pub(super) struct Children {
    work: PathBuf,
    state: Mutex<State>,
    /// Held for reading while a child comes to be, so that one that is not known yet is not taken for an orphan.
    starting: RwLock<()>,
    /// An attempt's folder is free again.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Started here and not waited for yet; and the children that this process had before (a script that became this
    /// process may have started some), which are no concern of a runtime.
    launched: HashSet<u32>,
    /// The folders of the attempts that run.
    running: HashSet<PathBuf>,
}

/// An attempt's folder, taken for as long as this lives.
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
        Self { work, state, starting, freed }
    }

    /// Takes an attempt's folder; none while an earlier start of the same attempt has not ended.
    pub(super) fn claim(&self, folder: &Path) -> Option<Claim<'_>> {
        let free = self.state().running.insert(folder.to_path_buf());
        free.then(|| Claim(self, folder.to_path_buf()))
    }

    /// Resolves when some folder has become free after this call.
    pub(super) fn freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.freed.notified()
    }

    /// Hold it from before a child is started until [`launched`](Self::launched) has been told.
    pub(super) fn starting(&self) -> RwLockReadGuard<'_, ()> {
        self.starting.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn launched(&self, pid: u32) {
        self.state().launched.insert(pid);
    }

    /// A launched child has been waited for.
    pub(super) fn reaped(&self, pid: u32) {
        self.state().launched.remove(&pid);
    }

    /// From now on a program that still runs for this attempt is an orphan.
    fn ended(&self, folder: &Path) {
        self.state().running.remove(folder);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every program that still runs for an attempt whose own process has ended. Blocks until none does.
    pub(super) fn end(&self, folder: &Path) {
        let until = Instant::now() + HUNT;
        while self.round(|attempt, _| attempt == folder) && Instant::now() < until {}
    }

    /// Ends the orphans of attempts that are over, and takes leave of those that ended by themselves.
    pub(super) fn sweep(&self) {
        let until = Instant::now() + HUNT;
        while self.round(|attempt, state| !state.running.contains(attempt)) && Instant::now() < until {}
        let sole = SOLE_PARENT.load(Ordering::Relaxed);
        while sole && self.strangers() && Instant::now() < until {}
    }

    /// Kills the orphans that are wanted; false when there was none.
    fn round(&self, wanted: impl Fn(&Path, &State) -> bool) -> bool {
        let mut killed = Vec::new();
        for pid in proc::children() {
            if self.state().launched.contains(&pid) {
                continue;
            }
            let attempt = proc::mark(pid).and_then(|mark| proc::attempt_of(&mark, &self.work));
            // A child that came to be just now belongs to an attempt that runs.
            if attempt.is_some_and(|attempt| wanted(&attempt, &self.state())) {
                killed.extend(kill_child(pid));
            }
        }
        for pid in &killed {
            reap(*pid);
        }
        !killed.is_empty()
    }

    /// Orphans without a mark: those that have ended are waited for, and the others killed once nothing runs any more
    /// that they could belong to. False when none was killed.
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

/// Kills a child. Its number stays its own until it is reaped, so it can't be another's.
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

/// Sends a signal to a whole process group; one that is gone is fine.
pub(super) fn kill_group(pid: u32, signal: Signal) {
    if let Some(pid) = number(pid) {
        let _ = kill_process_group(pid, signal);
    }
}

fn number(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Ends what an earlier pool left running in `work`: their outcome could no longer be trusted, and their operations are
/// about to be started again.
pub(super) fn end_leftovers(work: &Path) {
    for agenda in fs::read_dir(work).into_iter().flatten().flatten() {
        for attempt in fs::read_dir(agenda.path()).into_iter().flatten().flatten() {
            let note = attempt.path().join(GROUP);
            if let Ok(Content::Bytes(text)) = plain_file::read(&note, 64) {
                end_noted(&String::from_utf8_lossy(&text));
                plain_file::clear(&note);
            }
            // The input of an attempt that is dead: nobody needs it, and secrets may be in it.
            plain_file::clear(&attempt.path().join("input.json"));
        }
    }
    end_marked(work);
}

/// Kills a process group that a note names, if its leader is this user's and still the one that started then.
fn end_noted(note: &str) {
    let mut parts = note.split_whitespace();
    let (Some(pid), Some(start)) = (parts.next().and_then(|p| p.parse::<u32>().ok()), parts.next()) else {
        return;
    };
    let Some(leader) = number(pid).filter(|leader| *leader != getpgrp()) else { return };
    // The handle first, then the look at its start: the number can't come to mean another process in between.
    let Ok(handle) = pidfd_open(leader, PidfdFlags::empty()) else { return };
    let ours = proc::owner(pid) == Some(geteuid().as_raw());
    if ours && proc::start_time(pid).is_some_and(|now| now == start) {
        kill_group(pid, Signal::KILL);
        wait_for(&handle);
    }
}

/// Kills every process of this user that has the mark of an attempt below `work`; returns when none is left.
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

/// Kills the processes that the runtime with this start has started below `work`, as long as `still` says so; tells whether
/// there were any. They may not be gone yet, and may have started others.
pub(super) fn kill_started(work: &Path, start: &str, still: impl FnMut() -> bool) -> bool {
    let started = |pid| {
        let Some(environment) = proc::environment(pid) else { return false };
        proc::value(&environment, proc::START) == Some(start.as_bytes())
            && proc::mark_in(&environment).is_some_and(|mark| proc::attempt_of(&mark, work).is_some())
    };
    !kill_all(started, still).is_empty()
}

/// Kills this user's processes that are wanted, and gives their handles. Each one is known before `still` is asked, so what
/// was started after the answer would have changed is spared.
fn kill_all(wanted: impl Fn(u32) -> bool, mut still: impl FnMut() -> bool) -> Vec<OwnedFd> {
    let wanted = |pid: &u32| {
        number(*pid) != Some(getpid()) && proc::owner(*pid) == Some(geteuid().as_raw()) && wanted(*pid)
    };
    let mut killed = Vec::new();
    for pid in proc::all().into_iter().filter(wanted) {
        let handle = number(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        // Looked at once more: the handle speaks of the process that has this number now.
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

/// Takes leave of a child that has been told to end; one that does not is killed. Blocks until it is gone.
pub(super) fn see_off(mut child: Child) {
    if let Some(handle) = number(child.id()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) {
        wait_for(&handle);
    }
    let _ = child.kill();
    let _ = child.wait();
}
