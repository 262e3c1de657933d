//! Where the time comes from. This is the only place that reads the clock; everything else is told the time.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// Where the time comes from: a wall clock, which may be set, and a monotonic one, which only goes on.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time, in whole microseconds: what is stored is what was read.
    fn now(&self) -> Timestamp;

    /// The time since some moment that never changes. Unlike [`Self::now`] it makes no steps; while the machine is suspended
    /// it may stand still.
    fn monotonic(&self) -> Duration;

    /// The monotonic instant that a time will be at; a time that has passed is now.
    fn instant_of(&self, at: Timestamp) -> Instant {
        Instant::now() + Duration::try_from(at.duration_since(self.now())).unwrap_or_default()
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that the rule points to")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// The time since the machine was started, that which it slept included. It never steps, and is the same in every process.
pub fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) =
        (u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0));
    Duration::new(seconds, nanos)
}

/// A clock that stands still until it is moved; for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    monotonic: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { wall: AtomicI64::new(start.as_millisecond()), monotonic: AtomicI64::new(0) }
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.monotonic.fetch_add(by, Ordering::SeqCst);
        self.wall.fetch_add(by, Ordering::SeqCst);
    }

    /// The wall clock is set, by so many seconds forward or back.
    pub fn step(&self, seconds: i64) {
        self.wall.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.wall.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.monotonic.load(Ordering::SeqCst)).unwrap_or(0))
    }
}
