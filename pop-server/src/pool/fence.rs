//! The moment after which a pool must not start programs, unless a lease was renewed. The agent sets the moment, and
//! the executor checks it before each start. Both may have stood still for any time in between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use crate::env::since_boot as now;

/// A moment on the clock of [`now`]; none at first.
#[derive(Debug)]
pub struct Fence(AtomicU64);

impl Default for Fence {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Fence {
    /// Sets or removes the moment.
    pub fn set(&self, moment: Option<Duration>) {
        let nanos = moment.map_or(u64::MAX, |at| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
        self.0.store(nanos, Ordering::SeqCst);
    }

    /// Whether the moment has passed.
    pub fn has_passed(&self) -> bool {
        let moment = self.0.load(Ordering::SeqCst);
        moment != u64::MAX && now() >= Duration::from_nanos(moment)
    }
}
