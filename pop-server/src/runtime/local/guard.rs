//! The guard: a process beside the pool that kills the pool's programs when the pool can't. The pool's process may
//! stand still for longer than its leases, or be killed. Without a guard, its programs would then run twice.
//!
//! A pipe leads to the guard and carries the fences, the moments after which no program may live. If the pipe closes
//! without the order to end, the pool is dead. The guard knows the programs by two variables: the attempt's mark, and
//! the start of their runtime. So the guard never kills programs of a later runtime in the same folder.

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

/// The pool's side of the guard, which starts with the first program.
#[derive(Debug)]
pub(super) struct Guard {
    program: Option<PathBuf>,
    work: PathBuf,
    start: String,
    children: Arc<Children>,
    /// Locked only for short moments: a caller that sets a fence must not wait.
    state: Mutex<State>,
    /// Held during the start of a guard, so that all callers wait for the same guard.
    starting: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// As time since boot.
    fence: Option<Duration>,
    /// Number of fences that passed before another fence was set.
    lapses: u64,
    standing: Option<Standing>,
    /// Whether the log has the warning about the missing guard.
    complained: bool,
}

/// A started guard that was not reaped.
#[derive(Debug)]
struct Standing {
    child: Child,
    pipe: ChildStdin,
}

impl Standing {
    /// Sends an order without waiting. A pipe takes a line whole or not at all, because lines are short.
    fn tell(&mut self, order: &str) -> io::Result<()> {
        self.pipe.write_all(order.as_bytes())
    }

    /// Closes the pipe, and waits for the guard's end.
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

    /// The id of this runtime's start, which tells its programs from those of other runtimes.
    pub(super) fn start(&self) -> &str {
        &self.start
    }

    /// Starts a guard unless one runs. If no guard can start, the log gets a warning and programs run without a guard.
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
        // The guard belongs to no attempt, so it has no mark. Its own process group keeps signals of a terminal and of
        // the pool's group away.
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

    /// Sets or removes the fence. Never waits. A guard that does not read is replaced, because it would act by its last
    /// fence.
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
        // The kill comes first, because the old guard would act by its earlier fence.
        let _ = standing.child.kill();
        let guard = Arc::clone(self);
        let replace = move || {
            standing.see_off(&guard.children);
            let _ = guard.ensure();
        };
        // If no thread can start, the next launch starts another guard.
        let _ = std::thread::Builder::new().name("pop-guard".into()).spawn(replace);
    }

    /// The count of passed fences, for [`has_lapsed_since`](Self::has_lapsed_since).
    pub(super) fn lapses(&self) -> u64 {
        self.state().lapses
    }

    /// Whether a fence has passed since the count, so that the guard has killed the running programs.
    pub(super) fn has_lapsed_since(&self, lapses: u64) -> bool {
        let state = self.state();
        state.lapses > lapses || state.fence.is_some_and(|at| at <= since_boot())
    }

    /// Ends the guard, because no program runs any more; the next program gets another guard. Blocks until the guard is
    /// gone.
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
    /// Programs that still run have no owner now, so the guard gets no order to spare them.
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

    /// A guard whose program is this script.
    fn guard(folder: &Path, script: &str) -> Arc<Guard> {
        let program = folder.join("guard");
        // Another process writes the script: a file that this process, or a child, has open for writing cannot be
        // started.
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
