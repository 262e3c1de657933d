//! What happened to an agenda, as it is stored.

use jiff::Timestamp;
use serde_json::Value;

use super::{AgendaState, Failure, OperationName, OperationState, Percent};

/// Something that happened to an agenda. Events of one agenda are numbered without gaps from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Position in the agenda's history.
    pub seq: u64,
    /// When the server took it in.
    pub at: Timestamp,
    /// The agenda's state after the event.
    pub state: AgendaState,
    /// The agenda's percent after the event.
    pub percent: Percent,
    /// Why the agenda is in this state, when that is not obvious.
    pub reason: Option<String>,
    /// The operation that changed, after the change and without its output.
    pub operation: Option<OperationUpdate>,
    /// Operations that were added to the agenda.
    pub added: Option<Added>,
    /// The agenda was run again: what that did to its operations.
    pub rerun: Option<RerunOperations>,
}

/// An operation after a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationUpdate {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The state.
    pub state: OperationState,
    /// The attempt that runs or ran last; 0 before the first.
    pub attempt: u32,
    /// How many attempts failed by the program's own doing.
    pub failures: u32,
    /// How far it is.
    pub percent: Percent,
    /// What the program last said.
    pub message: Option<String>,
    /// The attempt started at.
    pub started_at: Option<Timestamp>,
    /// Ended at.
    pub ended_at: Option<Timestamp>,
    /// The output. Only a report has one; events carry none.
    pub output: Option<Value>,
    /// Why the last attempt failed.
    pub failure: Option<Failure>,
}

/// Operations that a generator has added to an agenda.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// The generator.
    pub generator: String,
    /// The new operations; they wait.
    pub operations: Vec<OperationName>,
}

/// What running an agenda again did to its operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RerunOperations {
    /// These begin anew, by name.
    pub reset: Vec<String>,
    /// These are no longer there.
    pub removed: Vec<String>,
}
