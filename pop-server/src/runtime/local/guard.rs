//! The guard: a process beside this one that kills the programs when this one can't. This process may be stopped for longer
//! than its leases last, or be killed; then nobody else would keep its programs from running twice.
//!
//! A pipe leads to the guard. Through it come the moments after which no program may live, and when it ends without a word
//! this process is dead. The guard knows the programs by two variables: the attempt's mark, and the start of their runtime.
//! So it never kills what a later runtime has started in the same folder.

mod orders;
mod stand;

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};

use self::orders::END;
pub use self::stand::stand;
use super::children::{Children, see_off};
use crate::env::Env;
use crate::env::since_boot;

/// This process's side of the guard, which is started with the first program.
#[derive(Debug)]
pub(super) struct Guard {
    program: Option<PathBuf>,
    work: PathBuf,
    start: String,
    children: Arc<Children>,
    /// Locked for short moments only: a caller that sets a fence must not wait.
    state: Mutex<State>,
    /// Held while a guard is started, so that all who need one wait for the same.
    starting: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// By the time since boot.
    fence: Option<Duration>,
    /// How many fences have passed before another one was set.
    lapses: u64,
    standing: Option<Standing>,
    /// It was said that there is no guard.
    complained: bool,
}

/// A guard that was started and not waited for.
#[derive(Debug)]
struct Standing {
    child: Child,
    pipe: ChildStdin,
}

impl Standing {
    /// Gives an order, or fails at once. A line is shorter than what a pipe takes as a whole.
    fn tell(&mut self, order: &str) -> io::Result<()> {
        self.pipe.write_all(order.as_bytes())
    }

    /// Waits for its end, which closing the pipe asks for.
    fn see_off(self, children: &Children) {
        let Self { child, pipe } = self;
        let pid = child.id();
        drop(pipe);
        see_off(child);
        children.reaped(pid);
    }
}

impl Guard {
    pub(super) fn new(program: Option<PathBuf>, work: PathBuf, children: Arc<Children>, env: &Env) -> Self {
        let (state, starting) = (Mutex::default(), Mutex::default());
        Self { program, work, start: env.token(), children, state, starting }
    }

    /// What tells this runtime's programs from those of others.
    pub(super) fn start(&self) -> &str {
        &self.start
    }

    /// Sees to it that there is a guard. When there can't be one that is logged, and programs run without.
    pub(super) fn ensure(&self) -> io::Result<()> {
        let Some(program) = &self.program else { return Ok(()) };
        if self.is_standing() {
            return Ok(());
        }
        let _one = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_standing() {
            return Ok(());
        }
        let started = self.begin(program);
        let mut state = self.state();
        let started = started.and_then(|mut standing| match standing.tell(&orders::fence(state.fence)) {
            Ok(()) => Ok(standing),
            Err(error) => {
                let _ = standing.child.kill();
                standing.see_off(&self.children);
                Err(error)
            }
        });
        match started {
            Ok(standing) => {
                (state.standing, state.complained) = (Some(standing), false);
                Ok(())
            }
            Err(error) => {
                if !std::mem::replace(&mut state.complained, true) {
                    tracing::warn!(%error, "could not start the guard: programs go on if this pool is killed or stopped");
                }
                Err(error)
            }
        }
    }

    fn begin(&self, program: &PathBuf) -> io::Result<Standing> {
        let mut command = Command::new(program);
        command.arg0("pop").args(["guard", "--start", &self.start, "--work"]).arg(&self.work);
        // It is nobody's program, so it has no marks; a signal from a terminal, or to this process's group, is not for it.
        command.env_clear().current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = {
            let _starting = self.children.starting();
            let child = command.spawn()?;
            self.children.launched(child.id());
            child
        };
        let pipe = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let standing = Standing { child, pipe };
        if let Err(error) = fcntl_setfl(&standing.pipe, OFlags::NONBLOCK) {
            standing.see_off(&self.children);
            return Err(error.into());
        }
        Ok(standing)
    }

    fn is_standing(&self) -> bool {
        let mut state = self.state();
        let Some(standing) = &mut state.standing else { return false };
        match standing.child.try_wait() {
            Ok(None) => return true,
            Ok(Some(status)) => tracing::warn!(%status, "the guard ended; starting another one"),
            Err(error) => tracing::warn!(%error, "lost contact to the guard; starting another one"),
        }
        self.children.reaped(standing.child.id());
        state.standing = None;
        false
    }

    /// Sets the fence, or removes it. Never waits: a guard that does not listen is replaced, because it would act by what it
    /// has heard last.
    pub(super) fn fence_in(self: &Arc<Self>, after: Option<Duration>) {
        if self.program.is_none() {
            return;
        }
        let now = since_boot();
        let mut state = self.state();
        state.lapses += u64::from(state.fence.is_some_and(|at| at <= now));
        state.fence = after.map(|after| now.saturating_add(after));
        let order = orders::fence(state.fence);
        let Some(mut standing) = state.standing.take() else { return };
        let Err(error) = standing.tell(&order) else {
            state.standing = Some(standing);
            return;
        };
        drop(state);
        tracing::warn!(%error, "the guard does not read its orders; starting another one");
        // At once: until it is gone it goes by an earlier fence.
        let _ = standing.child.kill();
        let guard = Arc::clone(self);
        let replace = move || {
            standing.see_off(&guard.children);
            let _ = guard.ensure();
        };
        // Without one more thread, the next launch starts another guard.
        let _ = std::thread::Builder::new().name("pop-guard".into()).spawn(replace);
    }

    /// A mark in time, for [`has_lapsed_since`](Self::has_lapsed_since).
    pub(super) fn lapses(&self) -> u64 {
        self.state().lapses
    }

    /// Whether a fence has passed since then, so that the guard has killed what ran.
    pub(super) fn has_lapsed_since(&self, lapses: u64) -> bool {
        let state = self.state();
        state.lapses > lapses || state.fence.is_some_and(|at| at <= since_boot())
    }

    /// Nothing runs any more, so the guard may go. The next program gets another one. Blocks until it is gone.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.fence = None;
        let standing = state.standing.take();
        drop(state);
        if let Some(mut standing) = standing {
            let _ = standing.tell(END);
            standing.see_off(&self.children);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    /// Whatever still runs at this moment is nobody's: the guard is not told to spare it.
    fn drop(&mut self) {
        if let Some(standing) = self.state().standing.take() {
            standing.see_off(&self.children);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A guard that is this script.
    fn guard(folder: &Path, script: &str) -> Arc<Guard> {
        let program = folder.join("guard");
        // Written by another process: a file that this one has open for writing, or a child of it, can't be started.
        let write = format!("cat >\"$1\" <<'E'\n#!/bin/sh\n{script}\nE\nchmod 700 \"$1\"");
        let written = Command::new("sh").args(["-c", &write, "sh"]).arg(&program).status().unwrap();
        assert!(written.success());
        let children = Arc::new(Children::new(folder.to_path_buf()));
        Arc::new(Guard::new(Some(program), folder.to_path_buf(), children, &Env::system()))
    }

    fn pid(guard: &Guard) -> Option<u32> {
        guard.state().standing.as_ref().map(|standing| standing.child.id())
    }

    #[test]
    fn a_guard_that_does_not_listen_holds_nobody_up_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(folder.path(), "exec sleep 600");
        guard.ensure().unwrap();
        let first = pid(&guard).unwrap();
        let full = (0..100_000).any(|n| {
            guard.fence_in(Some(Duration::from_secs(n)));
            pid(&guard) != Some(first)
        });
        assert!(full, "the pipe takes everything");
        guard.ensure().unwrap();
        assert_ne!(pid(&guard), Some(first));
        let mut standing = guard.state().standing.take().unwrap();
        standing.child.kill().unwrap();
        standing.see_off(&guard.children);
    }

    #[test]
    fn a_new_guard_is_told_the_fence_and_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(folder.path(), "cat >\"$5/told\"");
        guard.fence_in(None);
        guard.fence_in(Some(Duration::from_mins(1)));
        guard.ensure().unwrap();
        guard.fence_in(None);
        guard.end();
        let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].starts_with("fence "), "{told}");
        assert_eq!(lines[1..], ["none", "end"], "{told}");
    }

    #[test]
    fn a_lapse_is_a_fence_that_has_passed() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(folder.path(), "exec cat");
        let before = guard.lapses();
        guard.fence_in(Some(Duration::from_mins(10)));
        guard.fence_in(None);
        assert!(!guard.has_lapsed_since(before));
        guard.fence_in(Some(Duration::ZERO));
        assert!(guard.has_lapsed_since(before));
        guard.fence_in(Some(Duration::from_mins(10)));
        assert!(guard.has_lapsed_since(before), "also after the next one");
        assert!(!guard.has_lapsed_since(guard.lapses()));
    }
}
