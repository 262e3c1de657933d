//! The whole server: binds the port, opens the database, starts the engine, serves, and stops.

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

/// Time that open requests have for their end after the shutdown begins.
const GRACE: Duration = Duration::from_secs(10);

/// Time for which a failed server still answers with the reason, before its end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Pause between two tries for the database's lock. With the number of tries: three seconds in all.
const LOCK_RETRY: Duration = Duration::from_millis(20);
const LOCK_RETRIES: usize = 150;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on; port 0 takes a free port.
    pub listen: SocketAddr,
    /// The database file; none keeps all data in memory.
    pub database: Option<PathBuf>,
    /// Duration of a lease without a renewal.
    pub lease: Duration,
    /// Longest time of a connection until the head of its next request is complete.
    pub idle: Duration,
    /// Largest request body, in bytes.
    pub body_limit: usize,
    /// Size in bytes after which an answer to a pull takes no further agenda.
    pub pull_limit: usize,
    /// Whether a first submit creates its unknown customer.
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

/// Reasons why the server did not start or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another program uses the port, or the port is not permitted.
    #[error("could not listen on {0}")]
    Bind(SocketAddr, #[source] std::io::Error),
    /// The database can't be used.
    #[error("could not use the database")]
    Store(#[source] StoreError),
    /// The engine does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine cannot go on. All acknowledged changes are stored.
    #[error("the server stopped: {0}. Start it again")]
    Writer(String),
    /// A task panicked or was cancelled.
    #[error("a task of the server panicked or was cancelled")]
    Task(#[from] tokio::task::JoinError),
}

/// A running server.
pub struct Server {
    /// The address of the server's port.
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
    /// Waits for the server's end: its token was cancelled, or the server failed.
    pub async fn join(self) -> Result<(), ServerError> {
        // The writer's thread ends with its last handle.
        drop(self.app);
        self.serving.await?
    }

    /// A port of this server for an agent in the same process. The server stops only after the drop of this port.
    pub fn port(&self, identity: Identity) -> InProcess {
        InProcess::new(self.app.clone(), identity)
    }
}

/// Starts a server, which serves when this function returns.
///
/// The port is bound before the database is opened, so a second server on one machine fails before any effect. An empty
/// database gets a pool, an insight and a customer, all named `default`.
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
                // Until the end, requests get the reason; a supervisor then starts the server again.
                tokio::time::sleep(LAST_WORDS).await;
                shutdown.cancel();
                return Err(ServerError::Writer(why));
            }
            () = serve => Ok(()),
            () = overdue => {
                // Open requests hold handles of the writer, so its thread may not end soon. All acknowledged changes
                // are stored.
                tracing::warn!("requests were still open when the grace period ended");
                return Ok(());
            }
        };
        // All handles went with the router, so the thread ends after its last commit.
        let joined = tokio::task::spawn_blocking(move || thread.join()).await?;
        if joined.is_err() {
            return Err(ServerError::Writer("its writer thread panicked".to_owned()));
        }
        tracing::info!("stopped");
        result
    });
    Ok(Server { address, serving, app: own })
}

/// Starts the engine on a store, and creates the API's state.
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

/// Opens the database file. Waits for the lock, because an earlier server may still be ending.
async fn open(path: &Path) -> Result<SqliteStore, ServerError> {
    let tries = ConstantBuilder::new().with_delay(LOCK_RETRY).with_max_times(LOCK_RETRIES);
    let open = || async { SqliteStore::open(path) };
    open.retry(tries).when(|error| matches!(error, StoreError::InUse(_))).await.map_err(ServerError::Store)
}

#[cfg(test)]
mod tests;
