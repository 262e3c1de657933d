//! The condition of the server. `/readyz` reports the condition, and `serve` ends the process after a lasting failure.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The present trouble and the lasting failure, if any.
#[derive(Debug)]
pub struct Health {
    /// A cause that may pass.
    trouble: Mutex<Option<String>>,
    /// A cause that does not pass.
    failure: watch::Sender<Option<String>>,
}

impl Default for Health {
    fn default() -> Self {
        Self { trouble: Mutex::default(), failure: watch::Sender::new(None) }
    }
}

impl Health {
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reason why the server takes no work now.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.failure.borrow().clone().or_else(|| self.lock().clone())
    }

    pub(super) fn is_well(&self) {
        *self.lock() = None;
    }

    /// Whether `why` differs from the trouble that was known.
    pub(super) fn is_troubled(&self, why: &str) -> bool {
        self.lock().replace(why.to_owned()).as_deref() != Some(why)
    }

    /// Records a failure that ends the server.
    pub(super) fn has_failed(&self, why: &str) {
        self.failure.send_replace(Some(why.to_owned()));
    }

    /// Waits for a lasting failure, and returns the reason.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.subscribe();
        let why = failure.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        match why {
            Some(why) => why,
            // The sender lives as long as `self`.
            None => std::future::pending().await,
        }
    }
}
