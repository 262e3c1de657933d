//! What goes into a run, and what comes out.

use crate::api::{AgendaEnd, Failure, Ledger, OperationView};
use std::time::Duration;

use pop_compiler::agenda::Operation;
use serde_json::Value;

/// What can happen to a run. Operations are named by their index in the [`Plan`](super::Plan).
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant's text is about its fields")]
pub enum Event {
    /// The attempt can't run yet, for this reason: no processor is free, an image is being pulled.
    Waiting { op: usize, attempt: u32, reason: String },
    /// The program of this attempt runs.
    Started { op: usize, attempt: u32 },
    /// Moments of this attempt became known. They are told with the next report.
    Moments { op: usize, attempt: u32, ledger: Box<Ledger> },
    /// The program said how far it is.
    Progress { op: usize, attempt: u32, percent: f64, message: Option<String> },
    /// The program of this attempt ended, with its output or with a failure.
    Exited { op: usize, attempt: u32, outcome: Result<Value, Failure> },
    /// The report that said [`Effect::Report::commits`] is durable.
    Committed { op: usize, attempt: u32 },
    /// The success of this attempt could not become durable, for what it put out; it was reported as failed with this
    /// instead. [`Event::Committed`] follows.
    OutputRefused { op: usize, attempt: u32, failure: Failure },
    /// A timer that the run had asked for.
    Timer { op: usize, attempt: u32, kind: TimerKind },
    /// A client cancels the agenda.
    Cancel,
    /// Another agent has the agenda now.
    LeaseLost,
    /// The lease is to be given back: what runs is stopped, nothing starts, and [`Run::is_quiet`](super::Run::is_quiet)
    /// says when all that has happened is durable.
    Yield,
}

impl Event {
    /// What has happened, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "an attempt waits",
            Self::Started { .. } => "an attempt has started",
            Self::Moments { .. } => "moments of an attempt",
            Self::Progress { .. } => "an attempt has got on",
            Self::Exited { .. } => "an attempt has ended",
            Self::Committed { .. } => "a report is durable",
            Self::OutputRefused { .. } => "an output was refused",
            Self::Timer { .. } => "a timer has fired",
            Self::Cancel => "a cancel",
            Self::LeaseLost => "a lost lease",
            Self::Yield => "a lease that is given back",
        }
    }
}

/// What a run asks its driver to do.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant's text is about its fields")]
pub enum Effect {
    /// Start this attempt with this input.
    Launch { op: usize, attempt: u32, payload: Value },
    /// End this attempt's program (or forget it, if it has not started).
    Kill { op: usize, attempt: u32 },
    /// Report this state. Where `commits`, the report ends an attempt, and is to be answered with [`Event::Committed`]
    /// once it is durable.
    Report { op: usize, view: OperationView, commits: bool },
    /// A generator made these operations. They belong to the report of its success, which follows, and become durable
    /// with it or not at all.
    Generated { op: usize, operations: Vec<Operation> },
    /// Bring [`Event::Timer`] after that time, by a clock that never steps.
    Timer { op: usize, attempt: u32, kind: TimerKind, after: Duration },
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
