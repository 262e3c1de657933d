//! Drives the core. One transaction makes a batch of commands durable; answers and wake-ups go out afterwards. The
//! engine knows neither HTTP nor SQL: `api/` stands above the engine, `serve.rs` above both.

mod bootstrap;
mod health;
mod pauses;
mod step;
mod wakeups;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;

pub use health::Health;
pub use step::{Answer, Condition, Engine, EngineError, Now, Outcome};
pub use wakeups::{Poll, Step, Told, Wakeups, Watch};
pub use writer::Writer;

use crate::core::Settings;
use crate::env::Env;
use crate::store::{Store, StoreError};

/// Reasons why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot load its state.
    #[error("could not load the database")]
    Load(#[source] StoreError),
    /// The operating system does not start a thread.
    #[error("could not start the writer thread")]
    Thread(#[source] std::io::Error),
    /// The core refused the settings of an empty database.
    #[error("could not create the first settings: {0}")]
    Bootstrap(String),
}

/// A running engine, as the API calls and reads it.
#[derive(Clone, Debug)]
pub struct Running {
    /// Sends changes to the core.
    pub writer: Writer,
    /// Where long polls and event streams wait.
    pub wakeups: Arc<Wakeups>,
    /// Condition of the engine.
    pub health: Arc<Health>,
}

/// Starts the writer thread on a store, and gives an empty store its first settings.
///
/// The thread ends after the last [`Writer`] is dropped.
///
/// # Errors
/// The store cannot load its state, the thread cannot start, or the store refuses the first settings.
pub async fn start(
    settings: Settings,
    store: Arc<dyn Store>,
    env: &Env,
) -> Result<(Running, JoinHandle<()>), StartError> {
    let (wakeups, health) = (Arc::new(Wakeups::default()), Arc::new(Health::default()));
    let clock = Arc::clone(&env.clock);
    let engine =
        Engine::load(settings, Arc::clone(&store), Now::of(clock.as_ref())).map_err(StartError::Load)?;
    let (writer, thread) = Writer::start(engine, clock, Arc::clone(&wakeups), Arc::clone(&health))?;
    let running = Running { writer, wakeups, health };
    bootstrap::bootstrap(&running.writer, store.as_ref()).await?;
    Ok((running, thread))
}
