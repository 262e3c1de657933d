//! An agent's reports on the agendas that it holds.

use pop_compiler::agenda::Operation;
use serde_json::Value;

use crate::core::record::{AgendaState, Failure, LogChunk, OperationUpdate};
use crate::ids::AgendaId;

/// A lease of one agenda.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId {
    /// The agenda's id.
    pub id: AgendaId,
    /// The lease's epoch.
    pub epoch: u64,
}

/// Changes of one agenda under one lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The lease. The core refuses a report under a stale lease.
    pub lease: LeaseId,
    /// Operations in their new state, in the order of events.
    pub operations: Vec<OperationUpdate>,
    /// New operations of the generators whose success is among `operations`.
    pub made: Vec<Generated>,
    /// New log text.
    pub logs: Vec<LogChunk>,
    /// The agenda's end, once every operation has ended.
    pub end: Option<AgendaEnd>,
}

impl Report {
    /// An empty report.
    pub fn new(lease: LeaseId) -> Self {
        Self { lease, operations: Vec::new(), made: Vec::new(), logs: Vec::new(), end: None }
    }
}

/// The new operations of one generator.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The generator's name.
    pub generator: String,
    /// New operations, added after the existing ones.
    pub operations: Vec<Operation>,
}

/// The end of an agenda.
#[derive(Clone, Debug, PartialEq)]
pub struct AgendaEnd {
    /// The final state.
    pub state: AgendaState,
    /// The workflow's outputs.
    pub outputs: Option<Value>,
    /// The reason for a failure.
    pub failure: Option<Failure>,
}

/// The result of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportResult {
    /// The core accepted the report.
    Accepted,
    /// The reporting agent no longer holds the lease.
    Stale,
}
