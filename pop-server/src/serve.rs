//! The server as a whole: binds, opens the database, starts the engine, serves, stops.

mod connections;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backon::{ConstantBuilder, Retryable as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::in_process::InProcess;
use crate::api::{self, AppState, Limits};
use crate::core::Settings;
use crate::engine::{self, StartError};
use crate::env::Env;
use crate::http;
use crate::pool::port::Identity;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};

/// How long open requests may take to end once the server shuts down.
const GRACE: Duration = Duration::from_secs(10);

/// A server that can't go on says so for so long before it ends.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The database's lock is tried again after so long, so many times: three seconds in all.
const LOCK_RETRY: Duration = Duration::from_millis(20);
const LOCK_RETRIES: usize = 150;

/// What can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The database file; none keeps everything in memory.
    pub database: Option<PathBuf>,
    /// How long a lease lasts without a renewal.
    pub lease: Duration,
    /// How long a connection may take for the head of its next request.
    pub idle: Duration,
    /// The longest request body, in bytes.
    pub body_limit: usize,
    /// An answer to a pull takes no further agenda when it has reached so many bytes.
    pub pull_limit: usize,
    /// Whether an unknown customer is created on its first submit.
    pub auto_customers: bool,
    /// Time and ids.
    pub env: Env,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            database: None,
            lease: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            body_limit: 64 << 20,
            pull_limit: 32 << 20,
            auto_customers: false,
            env: Env::system(),
        }
    }
}

/// Why the server could not start, or did not stop well.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken, or may not be used.
    #[error("could not listen on {0}")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// The database can't be used.
    #[error("could not use the database")]
    Store(#[source] StoreError),
    /// The engine does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The thread that drives the core can't go on. What was acknowledged is stored.
    #[error("the server stopped: {0}. Start it again")]
    Writer(String),
    /// A task died.
    #[error("a task of the server panicked or was cancelled")]
    Task(#[from] tokio::task::JoinError),
}

/// A server that serves.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    serving: JoinHandle<Result<(), ServerError>>,
    app: AppState,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Waits until the server has stopped: after its token was cancelled, or because it failed.
    pub async fn join(self) -> Result<(), ServerError> {
        // The writer's thread ends with the last handle to it.
        drop(self.app);
        self.serving.await?
    }

    /// A way into this server for an agent in the same process. It is to be gone before the server can stop.
    pub fn port(&self, identity: Identity) -> InProcess {
        InProcess::new(self.app.clone(), identity)
    }
}

/// Starts a server. When this returns, it serves.
///
/// The port is bound first, then the database is loaded, so a second server on one machine fails before it touches
/// anything. An empty database gets a pool, an insight and a customer, all named `default`.
///
/// # Errors
/// The port is taken, or the database can't be used.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Server, ServerError> {
    let listener = TcpListener::bind(config.listen).await.map_err(|e| ServerError::Bind(config.listen, e))?;
    let address = listener.local_addr().map_err(|e| ServerError::Bind(config.listen, e))?;
    let store: Arc<dyn Store> = match &config.database {
        Some(path) => Arc::new(open(path).await?),
        None => Arc::new(SqliteStore::in_memory().map_err(ServerError::Store)?),
    };
    let (app, thread) = build(&config, store, shutdown.clone()).await?;
    let health = Arc::clone(&app.engine.health);
    let own = app.clone();
    let mut router = api::router(app);
    if address.ip().is_loopback() {
        router = http::only_this_machine(router);
    }
    tracing::info!(%address, "serving");

    let serving = tokio::spawn(async move {
        let serve = connections::serve(listener, router, config.idle, shutdown.clone());
        let overdue = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let result = tokio::select! {
            why = health.failed() => {
                // Who asks in the meantime learns why, and a supervisor starts the server again.
                tokio::time::sleep(LAST_WORDS).await;
                shutdown.cancel();
                return Err(ServerError::Writer(why));
            }
            () = serve => Ok(()),
            () = overdue => {
                // They hold handles to the writer, so its thread can't be waited for. What it has acknowledged is safe.
                tracing::warn!("requests were still open when the grace period ended");
                return Ok(());
            }
        };
        // All handles are gone with the router, so the thread ends after its last commit.
        let joined = tokio::task::spawn_blocking(move || thread.join()).await?;
        if joined.is_err() {
            return Err(ServerError::Writer("its writer thread panicked".to_owned()));
        }
        tracing::info!("stopped");
        result
    });
    Ok(Server { address, serving, app: own })
}

/// The engine on a store, and the API's state on both.
pub(crate) async fn build(
    config: &Config,
    store: Arc<dyn Store>,
    shutdown: CancellationToken,
) -> Result<(AppState, std::thread::JoinHandle<()>), StartError> {
    let settings = Settings { lease: config.lease, auto_customers: config.auto_customers };
    let (engine, thread) = engine::start(settings, Arc::clone(&store), &config.env).await?;
    let limits = Limits { lease: config.lease, body: config.body_limit, pull: config.pull_limit };
    Ok((AppState::new(engine, store, config.env.clone(), limits, shutdown), thread))
}

/// Opens the database file. A server that was here before may still be ending, so its lock is waited for.
async fn open(path: &Path) -> Result<SqliteStore, ServerError> {
    let tries = ConstantBuilder::new().with_delay(LOCK_RETRY).with_max_times(LOCK_RETRIES);
    let open = || async { SqliteStore::open(path) };
    open.retry(tries).when(|error| matches!(error, StoreError::InUse(_))).await.map_err(ServerError::Store)
}

#[cfg(test)]
mod tests;
