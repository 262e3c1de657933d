//! Whether the server can do its work: `/readyz` asks, and `serve` ends the process when it can't go on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// What is wrong, if anything.
#[derive(Debug)]
pub struct Health {
    /// It may pass.
    trouble: Mutex<Option<String>>,
    /// It does not.
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

    /// Why no work can be taken now.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.failure.borrow().clone().or_else(|| self.lock().clone())
    }

    pub(super) fn is_well(&self) {
        *self.lock() = None;
    }

    /// Gives whether that is news.
    pub(super) fn is_troubled(&self, why: &str) -> bool {
        self.lock().replace(why.to_owned()).as_deref() != Some(why)
    }

    /// The server can't go on.
    pub(super) fn has_failed(&self, why: &str) {
        self.failure.send_replace(Some(why.to_owned()));
    }

    /// Waits until the server can't go on, and says why.
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
