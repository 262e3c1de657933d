//! The guard's own process: listens and kills.

use std::io::{self, Stdin};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::super::children;
use super::orders::{Duty, Orders};
use crate::env::since_boot;

/// Pauses between two searches for programs to kill: the first, the longest after a find, and the longest without.
const PAUSES: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(100), Duration::from_secs(1)];
/// Number of searches in a row that must find no program: a starting program has no mark for an instant.
const CLEAN: u32 = 3;

/// Guards the programs that the runtime of this `start` starts below `work`. Standard input brings fences. The guard
/// kills the programs after a fence, and when standard input closes. Returns when the pool needs no guard any more.
///
/// # Errors
/// The system has no timer, or standard input can't be read.
pub fn stand(work: &Path, start: &str) -> io::Result<()> {
    let mut post = Post::new()?;
    let (mut pause, mut clean) = (PAUSES[0], 0);
    loop {
        let duty = post.orders.duty(since_boot());
        let found = match duty {
            Duty::End => return Ok(()),
            Duty::Listen(until) => {
                (pause, clean) = (PAUSES[0], 0);
                post.listen(until)?;
                continue;
            }
            Duty::Kill | Duty::Finish => children::kill_started(work, start, || post.must_kill()),
        };
        clean = if found { 0 } else { clean + 1 };
        if duty == Duty::Finish && clean >= CLEAN {
            return Ok(());
        }
        post.listen(Some(since_boot() + pause))?;
        // After a fence the pool may wake up and start a program before it knows of the fence, so the searches go on.
        pause = match (duty, found) {
            (Duty::Finish, false) => PAUSES[0],
            (_, true) => (pause * 2).min(PAUSES[1]),
            (_, false) => (pause * 2).min(PAUSES[2]),
        };
    }
}

/// The source of orders.
struct Post {
    stdin: Stdin,
    /// On the clock of fences: the timer fires in time even after a sleep of the machine.
    timer: OwnedFd,
    orders: Orders,
}

impl Post {
    fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
        Ok(Self { stdin: io::stdin(), timer, orders: Orders::default() })
    }

    /// Waits for orders or until a moment.
    fn listen(&mut self, until: Option<Duration>) -> io::Result<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A time of zero would disarm the timer.
        let value = until.map_or(zero, |at| timespec(at.max(Duration::from_nanos(1))));
        timerfd_settime(
            &self.timer,
            TimerfdTimerFlags::ABSTIME,
            &Itimerspec { it_interval: zero, it_value: value },
        )?;
        let mut both = [PollFd::new(&self.timer, PollFlags::IN), PollFd::new(&self.stdin, PollFlags::IN)];
        // A pipe without a writer would end each wait at once.
        let count = if self.orders.is_closed() { 1 } else { 2 };
        match poll(&mut both[..count], None) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if !both[1].revents().is_empty() {
            self.read()?;
        }
        Ok(())
    }

    /// Whether the orders still demand a kill, after all that have arrived.
    fn must_kill(&mut self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        while !self.orders.is_closed()
            && poll(&mut [PollFd::new(&self.stdin, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
            && self.read().is_ok()
        {}
        matches!(self.orders.duty(since_boot()), Duty::Kill | Duty::Finish)
    }

    /// Reads the orders that have arrived; blocks until some arrive.
    fn read(&mut self) -> io::Result<()> {
        let mut bytes = [0; 4096];
        match rustix::io::read(&self.stdin, &mut bytes) {
            Ok(0) => self.orders.close(),
            Ok(count) => self.orders.take(&bytes[..count]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn timespec(at: Duration) -> Timespec {
    let tv_sec = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: at.subsec_nanos().into() }
}
