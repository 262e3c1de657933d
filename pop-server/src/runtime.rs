//! Execution of operations. A runtime starts attempts, signals their progress, and stops them on request.
//! [`crate::run`] decides the meaning of the signals for the agenda. Only the modules below know processes (or pods).
//!
//! The contract, checked by one conformance suite for all runtimes:
//! - [`launch`](Runtime::launch) returns at once and never blocks. Everything else about the attempt comes as
//!   [`Signal`]s. [`Signal::Exited`] comes exactly once and last, even if the program hangs, floods its streams, puts a
//!   pipe in the place of a file, or leaves processes behind that hold its streams open.
//! - After `Exited`, nothing of the attempt runs any more.
//! - A launch of an attempt that already runs (one of [`adopt`](Runtime::adopt)) takes the attempt over: its signals go
//!   to the new reporter, and nothing starts twice.
//! - After [`Stop::terminate`] an attempt ends within the runtime's grace; after [`Stop::kill`], at once.
//! - A lack of capacity (too many open files, no memory for one more process) is no failure of an attempt: the runtime
//!   sends [`Signal::Waiting`] and tries again.
//! - Files of an attempt stay until [`settled`](Runtime::settled).

pub(crate) mod attempts;
#[cfg(test)]
pub(crate) mod conformance;
#[cfg(feature = "server")]
pub mod kubernetes;
pub mod local;
pub mod shim;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pop_compiler::agenda::RunSpec;
use pop_compiler::generator::FanOut;
use pop_sdk::api::{Failure, Ledger};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::run::Resources;

/// One attempt, ready to start.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The attempt's key.
    pub key: AttemptKey,
    /// The agenda's id.
    pub agenda: String,
    /// The epoch of the attempt's lease.
    pub epoch: u64,
    /// The agenda's owner.
    pub customer: Option<String>,
    /// Correlation id.
    pub cid: Option<String>,
    /// The operation's name.
    pub operation: String,
    /// The operation's own id, for information only.
    pub operation_id: Option<String>,
    /// The operation type.
    pub kind: String,
    /// The run spec of the type (command, image, environment); none for built-in types.
    pub spec: Option<Arc<RunSpec>>,
    /// The operations to generate for each item; none unless the operation is a fan-out.
    pub fan_out: Option<Arc<FanOut>>,
    /// Declared resources; zero means undeclared.
    pub resources: Resources,
    /// The input, with references replaced.
    pub payload: Value,
}

/// Identifies one attempt inside one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey {
    /// The executor's number of the run.
    pub run: u64,
    /// The operation's index in the plan of the run.
    pub op: usize,
    /// The attempt's number, from 1.
    pub attempt: u32,
}

/// A signal of a runtime about an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// The attempt can't run yet, for example because no processor is free or an image is missing.
    Waiting {
        /// The reason, for people.
        reason: String,
    },
    /// The attempt runs.
    Started,
    /// Moments of the attempt became known.
    Moments(Box<Ledger>),
    /// The attempt's progress.
    Progress {
        /// From 0 to 100.
        percent: f64,
        /// The program's message.
        message: Option<String>,
    },
    /// The attempt wrote log text.
    Log {
        /// `stdout`, `stderr` or `pop`.
        stream: &'static str,
        /// Position of the first byte in the stream.
        offset: u64,
        /// The text.
        text: String,
    },
    /// The attempt ended, with its output or a failure. The last signal of an attempt.
    Exited(Result<Value, Failure>),
}

/// Carries one attempt's signals to the driver.
#[derive(Clone, Debug)]
pub struct Reporter {
    key: AttemptKey,
    out: mpsc::UnboundedSender<(AttemptKey, Signal)>,
}

impl Reporter {
    /// A reporter that sends the signals of `key` to `out`.
    pub fn new(key: AttemptKey, out: mpsc::UnboundedSender<(AttemptKey, Signal)>) -> Self {
        Self { key, out }
    }

    /// Sends a signal. The receiver may have gone.
    pub fn send(&self, signal: Signal) {
        let _ = self.out.send((self.key, signal));
    }
}

/// Stops one attempt, politely or at once. Clones are cheap and stop the same attempt.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    terminate: CancellationToken,
    kill: CancellationToken,
}

impl Stop {
    /// Asks the attempt to end, with time to save.
    pub fn terminate(&self) {
        self.terminate.cancel();
    }

    /// Asks the attempt to end at once.
    pub fn kill(&self) {
        self.terminate.cancel();
        self.kill.cancel();
    }

    /// Whether the attempt should end, in either way.
    pub fn is_asked(&self) -> bool {
        self.terminate.is_cancelled()
    }

    /// Waits until the attempt should end, in either way.
    pub async fn asked(&self) {
        self.terminate.cancelled().await;
    }

    /// Waits until the attempt should end at once.
    pub async fn killed(&self) {
        self.kill.cancelled().await;
    }
}

/// The amount of work that a runtime can run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Limit of the sum of all declared resources.
    pub resources: Resources,
    /// Largest number of attempts, with and without declared resources.
    pub attempts: usize,
}

impl Capacity {
    /// The capacity of a runtime whose cluster decides what has room.
    pub fn unlimited() -> Self {
        Self { resources: Resources { cpu_millis: u64::MAX, memory: u64::MAX }, attempts: 5000 }
    }
}

/// A running attempt that this process has not launched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The operation's name.
    pub operation: String,
    /// The attempt's number.
    pub attempt: u32,
}

/// The result of an asynchronous call of a [`Runtime`].
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Starts, watches and stops attempts; see the [module](self) for the contract.
pub trait Runtime: Send + Sync + 'static {
    /// The amount of work that the runtime can run at the same time.
    fn capacity(&self) -> Capacity;

    /// Whether attempts go on after the end of this process, so that a later agent can adopt them.
    fn outlives(&self) -> bool {
        false
    }

    /// The running attempts of a customer's agenda that an earlier driver launched. A driver that does not launch such an attempt
    /// again must make sure that the attempt is stopped.
    fn adopt(&self, agenda: &str, customer: Option<&str>) -> Pending<'_, Vec<Adopted>>;

    /// Starts one attempt, or takes over a running one.
    fn launch(&self, launch: Launch, reporter: Reporter, stop: Stop);

    /// Sets a fence: after this time the runtime kills everything that runs, unless a later call replaces the fence.
    /// None removes the fence.
    ///
    /// The fence works even while this process stands still or is gone, because another agent may hold the leases then.
    /// A runtime that cannot keep this promise does nothing.
    fn fence_in(&self, _after: Option<Duration>) {}

    /// The result of an attempt is durable, or not needed: the runtime may remove the attempt's files and records.
    fn settled(&self, key: AttemptKey);

    /// An agenda has ended, and none of its attempts runs: the runtime may remove leftovers.
    fn forget(&self, agenda: &str);

    /// Waits until no attempt runs. Stop all attempts first.
    fn idle(&self) -> Pending<'_, ()>;
}
