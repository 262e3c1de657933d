//! Where operations run. A runtime starts attempts, says what becomes of them, and stops them when told; what that means
//! for the agenda is decided by [`crate::run`]. Only the modules below know processes (or pods).

pub mod local;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use pop_compiler::agenda::RunSpec;
use pop_compiler::generator::FanOut;
use pop_sdk::api::Failure;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One attempt, ready to start.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Which attempt.
    pub key: AttemptKey,
    /// The agenda's id.
    pub agenda: String,
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
    /// How the type runs; none for built-in types.
    pub spec: Option<Arc<RunSpec>>,
    /// What it makes for each item, when it is a fan-out.
    pub fan_out: Option<Arc<FanOut>>,
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

/// Starts attempts. `launch` returns at once; the work goes on by itself, sends its signals to `reporter`, and ends
/// soon after `stop` is cancelled.
pub trait Runtime: Send + Sync + 'static {
    /// Starts one attempt.
    fn launch(&self, launch: Launch, reporter: Reporter, stop: CancellationToken);

    /// Called when an agenda is over and none of its attempts runs: leftovers may go.
    fn forget(&self, agenda: &str);

    /// Resolves when nothing that was started runs any more. Call it after stopping everything.
    fn idle(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
