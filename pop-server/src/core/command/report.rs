//! What a pool agent tells the core of the agendas that it holds.

use pop_compiler::agenda::Operation;
use serde_json::Value;

use crate::core::record::{AgendaState, Failure, LogChunk, OperationUpdate};
use crate::ids::AgendaId;

/// One agenda under one lease.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId {
    /// The agenda.
    pub id: AgendaId,
    /// The lease's epoch.
    pub epoch: u64,
}

/// What happened to one agenda under one lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The lease; a report under a stale one is refused.
    pub lease: LeaseId,
    /// Operations in their new state, in the order of events.
    pub operations: Vec<OperationUpdate>,
    /// What generators made whose success is among `operations`.
    pub made: Vec<Generated>,
    /// New log text.
    pub logs: Vec<LogChunk>,
    /// The agenda's end, once every operation has ended.
    pub end: Option<AgendaEnd>,
}

impl Report {
    /// A report that says nothing yet.
    pub fn new(lease: LeaseId) -> Self {
        Self { lease, operations: Vec::new(), made: Vec::new(), logs: Vec::new(), end: None }
    }
}

/// The operations that a generator made.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// The generator.
    pub generator: String,
    /// What it made; added to the agenda after the operations that are there.
    pub operations: Vec<Operation>,
}

/// How an agenda ended.
#[derive(Clone, Debug, PartialEq)]
pub struct AgendaEnd {
    /// The last state.
    pub state: AgendaState,
    /// The workflow's outputs.
    pub outputs: Option<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// The core's word on one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportResult {
    /// Stored.
    Accepted,
    /// The lease is no longer the caller's.
    Stale,
}
