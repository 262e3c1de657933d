//! What a pool agent and a server say to each other.

use pop_compiler::agenda::Operation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Agenda, AgendaState, Failure, LogChunk, OperationView};

/// A pool agent says that it has (re)started, or that it is back after a silence. From now on this instance alone speaks
/// for the worker: leases of its other instances end at once, and their agendas go to the head of their queues, but for
/// those in `holding`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// The agent's stable name.
    pub worker: String,
    /// New at each start of the agent.
    pub instance: String,
    /// Leases whose operations still run with this agent; they are kept, under the same epoch, where nobody else has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holding: Vec<LeaseId>,
}

/// What a pool agent should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttachResponse {
    /// A lease lasts this long, in milliseconds; renew at a third of it.
    pub lease_ms: u64,
    /// Leases of other instances that have ended.
    pub returned: Vec<LeaseId>,
    /// Of the leases in `holding`, those that this instance holds now; the others are lost.
    pub kept: Vec<LeaseId>,
}

/// A pool agent asks for work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PullRequest {
    /// The agent's stable name.
    pub worker: String,
    /// This start of the agent.
    pub instance: String,
    /// Only from this insight; otherwise from all insights of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insight: Option<String>,
    /// How many agendas at most; 1 or more.
    pub count: u32,
    /// How long to wait for the first, in milliseconds.
    #[serde(default)]
    pub wait_ms: u64,
    /// New for each call, the same for each repetition of it: a repeated pull gets the same leases.
    pub request: String,
}

/// Work for a pool agent; empty when the wait ran out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PullResponse {
    /// The leases.
    pub leases: Vec<Lease>,
    /// How many milliseconds the server waited before it gave them: an agent that knows this knows how old they may be.
    #[serde(default)]
    pub waited_ms: u64,
}

/// One agenda, handed out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lease {
    /// The agenda's id.
    pub id: String,
    /// Goes up each time the agenda is handed out; every report carries it.
    pub epoch: u64,
    /// Ends so many milliseconds after it was given, unless renewed.
    pub lease_ms: u64,
    /// How many earlier leases of this run were lost: their pools may have started operations without the server's knowledge.
    #[serde(default)]
    pub interrupted: u32,
    /// The agenda.
    pub agenda: Agenda,
    /// What earlier leases reached: every operation that is not `waiting`, outputs included.
    pub progress: Vec<OperationView>,
}

/// One agenda under one lease.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct LeaseId {
    /// The agenda's id.
    pub id: String,
    /// The lease's epoch.
    pub epoch: u64,
}

/// Keeps leases alive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    /// The agent's stable name.
    pub worker: String,
    /// This start of the agent.
    pub instance: String,
    /// All leases that the agent holds.
    pub leases: Vec<LeaseId>,
    /// So many milliseconds the answer may wait for one of them to be cancelled. They are renewed at once.
    #[serde(default)]
    pub wait_ms: u64,
}

/// What became of the leases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RenewResponse {
    /// The renewed leases last so many milliseconds from now.
    pub lease_ms: u64,
    /// Cancel these: kill what runs, then report the end.
    pub cancel: Vec<LeaseId>,
    /// Leases that another agent holds now: kill their programs, report nothing, forget them.
    pub lost: Vec<LeaseId>,
}

/// A pool agent gives leases back whose operations no longer run, and of which everything has been reported. Their
/// agendas go to the head of their queues at once; that does not count as a lost lease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// The agent's stable name.
    pub worker: String,
    /// This start of the agent.
    pub instance: String,
    /// What is given back. A lease that is no longer the agent's is passed over.
    pub leases: Vec<LeaseId>,
    /// The agent stops: it gets no more work, and what it was granted without knowing comes back as well.
    #[serde(default)]
    pub leaving: bool,
}

/// What was given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseResponse {
    /// The leases that ended by this call.
    pub released: Vec<LeaseId>,
}

/// What happened to some agendas. Repeating a report changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    /// The agent's stable name.
    pub worker: String,
    /// This start of the agent.
    pub instance: String,
    /// One entry for each agenda.
    pub reports: Vec<Report>,
}

/// What happened to one agenda under one lease.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Report {
    /// The agenda's id.
    pub id: String,
    /// The lease's epoch; a stale one is refused.
    pub epoch: u64,
    /// Operations in their new state, in the order of events (one operation may occur more than once).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<OperationView>,
    /// What generators made whose success is among `operations`; it is stored with that success or not at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Made>,
    /// New log text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogChunk>,
    /// The agenda's end, once every operation is terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<AgendaEnd>,
}

/// The operations that a generator made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The generator.
    pub generator: String,
    /// What it made; added to the agenda after the operations that are there.
    pub operations: Vec<Operation>,
}

/// How an agenda ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgendaEnd {
    /// `succeeded`, `failed` or `cancelled`.
    pub state: AgendaState,
    /// The workflow's outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Value>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// The server's word on each report, in the same order. An accepted report is durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportResponse {
    /// One for each report.
    pub results: Vec<ReportResult>,
}

/// The server's word on one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReportResult {
    /// Stored.
    Accepted,
    /// The lease is no longer the caller's: kill what runs, report nothing, forget.
    Stale,
}
