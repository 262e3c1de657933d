//! Measures the time in which no agent could renew a lease. The wall clock was set, the process or the machine was
//! stopped, or a commit took long. The engine moves the ends of all leases by this time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A smaller time waits for the next round.
const SMALL: SignedDuration = SignedDuration::from_millis(250);
/// Work of this length between two waits is no pause. A busy server needs such time for its commits, and must not keep
/// leases alive for ever.
const BUSY: Duration = Duration::from_secs(1);

/// Compares the wall clock with the monotonic clock from one waking to the next.
#[derive(Debug)]
pub(super) struct Pauses {
    /// Both clocks at the last waking.
    woken: (Timestamp, Duration),
    /// Start of the last wait, and its planned maximum.
    wait: (Duration, Option<Duration>),
    /// Measured time that [`Self::woken`] has not returned yet.
    owed: SignedDuration,
}

impl Pauses {
    pub(super) fn new(now: Timestamp, monotonic: Duration) -> Self {
        Self { woken: (now, monotonic), wait: (monotonic, None), owed: SignedDuration::ZERO }
    }

    /// Marks the start of a wait.
    pub(super) fn wait(&mut self, monotonic: Duration, at_most: Option<Duration>) {
        self.wait = (monotonic, at_most);
    }

    /// Marks the end of a wait. Returns the time by which the ends of leases move, unless that is small.
    pub(super) fn woken(&mut self, now: Timestamp, monotonic: Duration) -> Option<SignedDuration> {
        let signed = |d: Duration| SignedDuration::try_from(d).unwrap_or(SignedDuration::MAX);
        let (was, then) = std::mem::replace(&mut self.woken, (now, monotonic));
        let (began, at_most) = self.wait;
        let jump = now.duration_since(was).saturating_sub(signed(monotonic.saturating_sub(then)));
        let busy = began.saturating_sub(then).saturating_sub(BUSY);
        // Without leases a wait has no maximum, so no wait is late.
        let late =
            at_most.map_or(Duration::ZERO, |at_most| monotonic.saturating_sub(began).saturating_sub(at_most));
        self.owed = self.owed.saturating_add(jump).saturating_add(signed(busy + late));
        if self.owed.abs() < SMALL {
            return None;
        }
        Some(std::mem::replace(&mut self.owed, SignedDuration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Clock as _, ManualClock};

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// The move of leases after one round of work, a wait, and a step of the wall clock during the wait, in seconds.
    fn round(busy: u64, at_most: u64, waited: u64, step: i64) -> Option<i64> {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let mut pauses = Pauses::new(clock.now(), clock.monotonic());
        clock.advance(seconds(busy));
        pauses.wait(clock.monotonic(), Some(seconds(at_most)));
        clock.advance(seconds(waited));
        clock.step(step);
        let moved = pauses.woken(clock.now(), clock.monotonic());
        pauses.wait(clock.monotonic(), None);
        assert_eq!(pauses.woken(clock.now(), clock.monotonic()), None, "it is given once");
        moved.map(|by| by.as_secs())
    }

    #[test]
    fn only_what_nobody_could_use_is_given() {
        for (busy, at_most, waited, step, expected) in [
            (0, 1, 1, 0, None),
            (0, 1, 0, 0, None),
            (1, 1, 1, 0, None),
            (0, 1, 1, 60, Some(60)),
            (0, 1, 1, -60, Some(-60)),
            // The process stopped for 40 seconds. On a suspended machine the monotonic clock stands still instead.
            (0, 1, 41, 0, Some(40)),
            (0, 1, 0, 3600, Some(3600)),
            // A commit of 20 seconds.
            (20, 1, 0, 0, Some(19)),
            (20, 1, 41, -30, Some(29)),
        ] {
            assert_eq!(round(busy, at_most, waited, step), expected, "{busy} {at_most} {waited} {step}");
        }
    }

    #[test]
    fn small_steps_add_up() {
        let mut pauses = Pauses::new(Timestamp::UNIX_EPOCH, Duration::ZERO);
        let moved: Vec<bool> = (1..=5)
            .map(|n| pauses.woken(Timestamp::from_millisecond(n * 100).unwrap(), Duration::ZERO).is_some())
            .collect();
        assert_eq!(moved, [false, false, true, false, false]);
    }
}
