//! What goes into a run, and what comes out.

use crate::api::{AgendaEnd, Failure, OperationView};
use jiff::Timestamp;
use pop_compiler::agenda::Operation;
use serde_json::Value;

/// What can happen to a run. Operations are named by their index in the [`Plan`](super::Plan).
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant's text is about its fields")]
pub enum Event {
    /// The program of this attempt runs.
    Started { op: usize, attempt: u32 },
    /// The program said how far it is.
    Progress { op: usize, attempt: u32, percent: f64, message: Option<String> },
    /// The program of this attempt ended, with its output or with a failure.
    Exited { op: usize, attempt: u32, outcome: Result<Value, Failure> },
    /// The report of this attempt's end is durable.
    Committed { op: usize, attempt: u32 },
    /// A timer that the run had asked for.
    Timer { op: usize, attempt: u32, kind: TimerKind },
    /// Somebody wants the agenda to end.
    Cancel,
    /// The agenda is somebody else's now.
    LeaseLost,
}

/// What a run asks its driver to do.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant's text is about its fields")]
pub enum Effect {
    /// Start this attempt with this input.
    Launch { op: usize, attempt: u32, payload: Value },
    /// End this attempt's program (or forget it, if it has not started).
    Kill { op: usize, attempt: u32 },
    /// Report this state. A report that ends an attempt for good ([`Succeeded`](crate::api::OperationState::Succeeded) or
    /// [`Failed`](crate::api::OperationState::Failed)) is to be answered with [`Event::Committed`] once it is durable.
    Report { op: usize, view: OperationView },
    /// A generator made these operations. They belong to the report of its success, which follows, and become durable
    /// with it or not at all.
    Made { op: usize, operations: Vec<Operation> },
    /// Bring [`Event::Timer`] at that time.
    Timer { op: usize, attempt: u32, kind: TimerKind, at: Timestamp },
    /// Every operation is terminal: report the agenda's end. Nothing follows.
    End(AgendaEnd),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// The delay before the next attempt is over.
    Retry,
    /// The attempt has run as long as it may.
    Timeout,
}
