//! What the handlers of the API work with.

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

/// How many reads run at the same time.
const READS: usize = 4;

/// Bounds of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long a lease lasts.
    pub(crate) lease: Duration,
    /// The longest request body, in bytes.
    pub(crate) body: usize,
    /// An answer to a pull takes no further agenda when it has reached so many bytes.
    pub(crate) pull: usize,
}

/// The engine, the store, and what bounds their use.
#[derive(Clone, Debug)]
pub(crate) struct AppState {
    /// Where changes go and who waits.
    pub(crate) engine: Running,
    /// Where reads come from.
    pub(crate) store: Arc<dyn Store>,
    /// Time and ids.
    pub(crate) env: Env,
    /// Tells who calls.
    pub(super) authenticate: Arc<dyn Authenticate>,
    /// The bounds.
    pub(crate) limits: Limits,
    /// Ends long polls and streams.
    pub(crate) shutdown: CancellationToken,
    /// Bounds the reads that run at the same time, and with them the threads.
    reads: Arc<Semaphore>,
}

impl AppState {
    /// The API's state on a running engine and its store.
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

    /// With another way to tell who calls.
    #[cfg(test)]
    pub(super) fn with(self, authenticate: Arc<dyn Authenticate>) -> Self {
        Self { authenticate, ..self }
    }

    /// Reads from the store, away from the threads that serve requests.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        // It is never closed.
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

    /// Changes the state through the core.
    pub(super) async fn change(&self, actor: Actor, command: Command) -> Result<Reply, Error> {
        Ok(self.engine.writer.call(actor, command).await?)
    }
}
