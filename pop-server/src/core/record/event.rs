//! Events of agendas, as the store keeps them.

use jiff::Timestamp;
use serde_json::Value;

use super::{AgendaState, Failure, Ledger, OperationName, OperationState, Percent};

/// A change of an agenda. Events of one agenda are numbered without gaps from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The event's number.
    pub seq: u64,
    /// Time at which the server accepted the change.
    pub at: Timestamp,
    /// The agenda's state after the event.
    pub state: AgendaState,
    /// The agenda's percent after the event.
    pub percent: Percent,
    /// The reason for the agenda's state, when that is not obvious.
    pub reason: Option<String>,
    /// The changed operation after the change, without its output.
    pub operation: Option<OperationUpdate>,
    /// Operations that a generator added.
    pub added: Option<Added>,
    /// The effect of a rerun on the operations.
    pub rerun: Option<RerunOperations>,
}

/// An operation after a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationUpdate {
    /// The operation's name.
    pub name: String,
    /// The operation's type.
    pub kind: String,
    /// The operation's state.
    pub state: OperationState,
    /// Number of the present or last attempt; 0 before the first.
    pub attempt: u32,
    /// Number of attempts that failed by the program's own fault.
    pub failures: u32,
    /// The operation's progress.
    pub percent: Percent,
    /// The program's last message.
    pub message: Option<String>,
    /// Start of the attempt.
    pub started_at: Option<Timestamp>,
    /// Time of the operation's end.
    pub ended_at: Option<Timestamp>,
    /// The output. Only reports carry an output, events never do.
    pub output: Option<Value>,
    /// The failure of the last attempt.
    pub failure: Option<Failure>,
    /// The moments of the attempt. Only reports carry them, events never do.
    pub ledger: Option<Box<Ledger>>,
}

/// Operations that a generator added to an agenda.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// The generator's name.
    pub generator: String,
    /// The new operations, in state `waiting`.
    pub operations: Vec<OperationName>,
}

/// The effect of a rerun on an agenda's operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RerunOperations {
    /// Names of the reset operations.
    pub reset: Vec<String>,
    /// Names of the removed operations.
    pub removed: Vec<String>,
}
