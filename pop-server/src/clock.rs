//! The only place that reads the clock. Everything else is told the time.

use std::time::Duration;

use jiff::Timestamp;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "this is the place that the rule points to")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The monotonic instant that a time will be at; a time that has passed is now.
pub fn instant_of(at: Timestamp) -> tokio::time::Instant {
    let ahead = at.duration_since(now());
    tokio::time::Instant::now() + Duration::try_from(ahead).unwrap_or_default()
}
