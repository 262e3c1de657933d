//! Where operations run. A runtime starts attempts, says what becomes of them, and stops them when told; what that means
//! for the agenda is decided by [`crate::run`]. Only the modules below know processes (or pods).
//!
//! The contract, checked by one conformance suite for all runtimes:
//! - [`launch`](Runtime::launch) returns at once and never blocks; everything else about the attempt comes as [`Signal`]s,
//!   and [`Signal::Exited`] comes exactly once, last, whatever the program does: it may hang, flood its streams, put a
//!   pipe in the place of a file or leave processes behind that hold its streams open.
//! - When `Exited` has been sent nothing of the attempt runs any more.
//! - Launching an attempt that already runs (one that [`adopt`](Runtime::adopt) named) takes it over: its signals go to the
//!   new reporter, nothing is started twice.
//! - After [`Stop::terminate`] an attempt ends within the grace that the runtime is set to; after [`Stop::kill`], at once.
//! - Having no capacity (too many open files, no memory for one more process) is no failure of an attempt: the runtime says
//!   [`Signal::Waiting`] and tries again.
//! - Files of an attempt stay until [`settled`](Runtime::settled).

pub(crate) mod attempts;
#[cfg(test)]
pub(crate) mod conformance;
pub mod local;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pop_compiler::agenda::RunSpec;
use pop_compiler::generator::FanOut;
use pop_sdk::api::Failure;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::run::Resources;

/// One attempt, ready to start.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Which attempt.
    pub key: AttemptKey,
    /// The agenda's id.
    pub agenda: String,
    /// The epoch of the lease that it runs under.
    pub epoch: u64,
    /// The agenda's owner.
    pub customer: Option<String>,
    /// Correlation id.
    pub cid: Option<String>,
    /// The operation's name.
    pub operation: String,
    /// The operation's own id, informational.
    pub operation_id: Option<String>,
    /// The operation type.
    pub kind: String,
    /// How the type runs (command, image, environment); none for built-in types.
    pub spec: Option<Arc<RunSpec>>,
    /// What it makes for each item, when it is a fan-out.
    pub fan_out: Option<Arc<FanOut>>,
    /// What it declares that it needs; zero where it declares nothing.
    pub resources: Resources,
    /// The input, references replaced.
    pub payload: Value,
}

/// Identifies one attempt inside one process: the driver's number for the run, the operation's index, the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey {
    /// The driver's number for the run.
    pub run: u64,
    /// The operation's index in its plan.
    pub op: usize,
    /// The attempt, from 1.
    pub attempt: u32,
}

/// What a runtime says about an attempt. `Exited` is the last.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// It can't run yet, for this reason: no processor is free, an image is being pulled.
    Waiting {
        /// Why, for people.
        reason: String,
    },
    /// It runs.
    Started,
    /// It is this far (0 to 100).
    Progress {
        /// Percent.
        percent: f64,
        /// What the program says about it.
        message: Option<String>,
    },
    /// It wrote this.
    Log {
        /// `stdout`, `stderr` or `pop`.
        stream: &'static str,
        /// Position of the first byte.
        offset: u64,
        /// The text.
        text: String,
    },
    /// It ended, with its output or a failure.
    Exited(Result<Value, Failure>),
}

/// Carries one attempt's signals to the driver.
#[derive(Clone, Debug)]
pub struct Reporter {
    key: AttemptKey,
    out: mpsc::UnboundedSender<(AttemptKey, Signal)>,
}

impl Reporter {
    /// Signals of `key` go to `out`.
    pub fn new(key: AttemptKey, out: mpsc::UnboundedSender<(AttemptKey, Signal)>) -> Self {
        Self { key, out }
    }

    /// Sends a signal. A driver that is gone needs none.
    pub fn send(&self, signal: Signal) {
        let _ = self.out.send((self.key, signal));
    }
}

/// Asks one attempt to end: politely, or at once. Cheap to clone; all clones speak for the same attempt.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    terminate: CancellationToken,
    kill: CancellationToken,
}

impl Stop {
    /// Asks for an end, with time to save.
    pub fn terminate(&self) {
        self.terminate.cancel();
    }

    /// Asks for an end at once.
    pub fn kill(&self) {
        self.terminate.cancel();
        self.kill.cancel();
    }

    /// Whether an end was asked for, in either way.
    pub fn is_asked(&self) -> bool {
        self.terminate.is_cancelled()
    }

    /// Resolves when an end is asked for, in either way.
    pub async fn asked(&self) {
        self.terminate.cancelled().await;
    }

    /// Resolves when an end at once is asked for.
    pub async fn killed(&self) {
        self.kill.cancelled().await;
    }
}

/// How much a runtime can run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// For operations that declare what they need: all of them together fit into this.
    pub resources: Resources,
    /// So many attempts at most, whatever they declare.
    pub attempts: usize,
}

/// An attempt that runs although nobody in this process has launched it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The operation's name.
    pub operation: String,
    /// Its attempt.
    pub attempt: u32,
}

/// What an asynchronous call of a [`Runtime`] gives.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Starts, watches and stops attempts; see the [module](self) for the contract.
pub trait Runtime: Send + Sync + 'static {
    /// How much it can run at the same time.
    fn capacity(&self) -> Capacity;

    /// The attempts of an agenda that still run although an earlier driver has launched them. Whoever does not launch them
    /// again has to be sure that they are stopped.
    fn adopt(&self, agenda: &str) -> Pending<'_, Vec<Adopted>>;

    /// Starts one attempt, or takes over one that runs.
    fn launch(&self, launch: Launch, reporter: Reporter, stop: Stop);

    /// Unless this is said again, everything that runs is to be killed after that time, even while this process stands still
    /// or is gone: by then its leases may be somebody else's. None: no longer. A runtime that can't promise more than this
    /// process itself does nothing.
    fn fence_in(&self, _after: Option<Duration>) {}

    /// The outcome of an attempt is durable (or will never be wanted): its files and records may go.
    fn settled(&self, key: AttemptKey);

    /// Called when an agenda is over and none of its attempts runs: leftovers may go.
    fn forget(&self, agenda: &str);

    /// Resolves when nothing that was started runs any more. Call it after stopping everything.
    fn idle(&self) -> Pending<'_, ()>;
}
