//! One operation inside a run.

use crate::api::{OperationState, OperationView};
use serde_json::Value;

use super::Step;

#[derive(Debug)]
pub(super) struct Op {
    pub(super) view: OperationView,
    pub(super) phase: Phase,
    pub(super) unmet: usize,
    /// Set when something it waits for did not succeed: it will be skipped.
    pub(super) skip: Option<Skip>,
    pub(super) infra_failures: u32,
    pub(super) timed_out: bool,
    /// So many numbers may have been given to attempts that nobody heard of; they are not given again.
    pub(super) unheard: u32,
    /// The attempt that still runs although this run has not launched it.
    pub(super) running: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// Waits for others.
    Idle,
    /// An attempt has failed; the next one waits for its delay, and for that failure to be durable. An agent that goes on after a
    /// crash therefore knows of each attempt but the last, and no number is given twice.
    Delayed { due: bool, committed: bool },
    /// Launch was asked for, or it runs.
    Live,
    /// Ended; its report is on the way. Holds the output of a success.
    Reported(Option<Value>),
    /// Terminal.
    Done,
}

/// Why an operation is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SkipReason {
    /// Something it needs was skipped by its own condition: nothing is wrong.
    Condition,
    /// Something it needs failed.
    Failure,
}

/// Why an operation is skipped, and which other one that comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Skip {
    pub(super) reason: SkipReason,
    pub(super) by: usize,
}

/// What makes an operation terminal that does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Its own condition is false.
    Condition,
    /// Another one did not succeed.
    Dependency(Skip),
    /// The whole run ends.
    Run,
}

impl Op {
    pub(super) fn new(step: &Step) -> Self {
        let view =
            OperationView { name: step.name.clone(), kind: step.kind.clone(), ..OperationView::default() };
        Self {
            view,
            phase: Phase::Idle,
            unmet: step.waits_for,
            skip: None,
            infra_failures: 0,
            timed_out: false,
            unheard: 0,
            running: None,
        }
    }
}

/// What the end of an operation means for those that wait for it.
pub(super) fn mark_of(view: &OperationView) -> Option<SkipReason> {
    match view.state {
        OperationState::Succeeded => None,
        OperationState::Skipped if view.failure.is_none() => Some(SkipReason::Condition),
        _ => Some(SkipReason::Failure),
    }
}
