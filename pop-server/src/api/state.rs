//! The state that the API's handlers share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::access::{Authenticate, Open};
use crate::core::access::Actor;
use crate::core::command::{Command, Reply};
use crate::engine::Running;
use crate::env::Env;
use crate::http::problem::Error;
use crate::store::{Store, StoreError};

/// Number of reads that run at the same time.
const READS: usize = 4;

/// Limits of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Duration of a lease.
    pub(crate) lease: Duration,
    /// Largest request body, in bytes.
    pub(crate) body: usize,
    /// Size in bytes after which an answer to a pull takes no further agenda.
    pub(crate) pull: usize,
}

/// The engine, the store and the limits.
#[derive(Clone, Debug)]
pub(crate) struct AppState {
    /// Takes changes and wakes waiting callers.
    pub(crate) engine: Running,
    /// Answers reads.
    pub(crate) store: Arc<dyn Store>,
    /// Time and ids.
    pub(crate) env: Env,
    /// Identifies callers.
    pub(super) authenticate: Arc<dyn Authenticate>,
    pub(crate) limits: Limits,
    /// Ends long polls and streams.
    pub(crate) shutdown: CancellationToken,
    /// Limits the number of simultaneous reads, and so of their threads.
    reads: Arc<Semaphore>,
}

impl AppState {
    /// The state for a running engine and its store.
    pub(crate) fn new(
        engine: Running,
        store: Arc<dyn Store>,
        env: Env,
        limits: Limits,
        shutdown: CancellationToken,
    ) -> Self {
        let authenticate = Arc::new(Open);
        Self { engine, store, env, authenticate, limits, shutdown, reads: Arc::new(Semaphore::new(READS)) }
    }

    /// The same state with another authentication.
    #[cfg(test)]
    pub(super) fn with(self, authenticate: Arc<dyn Authenticate>) -> Self {
        Self { authenticate, ..self }
    }

    /// Reads from the store, on another thread than those that serve requests.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        // The semaphore is never closed.
        let turns = Arc::clone(&self.reads);
        let Ok(turn) = turns.acquire_owned().await else { return Err(Error::internal()) };
        let store = Arc::clone(&self.store);
        let read = move || {
            let _turn = turn;
            read(store.as_ref())
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Error::internal()),
        }
    }

    /// Sends a command to the core.
    pub(super) async fn change(&self, actor: Actor, command: Command) -> Result<Reply, Error> {
        Ok(self.engine.writer.call(actor, command).await?)
    }
}
