//! The HTTP API's types, shared by server and clients. Only what crosses the wire lives here.
//!
//! Errors are RFC 9457 problem documents ([`Problem`]). Times are RFC 3339 in UTC. Lists are paged by an opaque cursor.
//!
//! **Old clients, newer servers.** Requests are strict: a server refuses a key or a name that it does not know, and says
//! which ones it knows. Answers are read with tolerance: a field that a client does not know is passed over, and a state, a
//! failure class or an algorithm that it does not know is `Unknown`. Types that only servers make, and all these names, are
//! `#[non_exhaustive]`, so that they can grow without breaking their readers. What clients and pools make themselves
//! (requests, reports, operations, failures, settings) can still be written as a literal.
//!
//! A server lists its routes at `GET /openapi.json`, with the type of each body and answer.

mod ledger;
mod pools;
mod rerun;
mod settings;
mod states;
mod templates;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
pub use pop_compiler::agenda::{Agenda, AgendaTemplate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::ledger::{Ledger, Shares};
pub use self::pools::{
    AgendaEnd, AttachRequest, AttachResponse, Lease, LeaseId, Made, PullRequest, PullResponse,
    ReleaseRequest, ReleaseResponse, RenewRequest, RenewResponse, Report, ReportRequest, ReportResponse,
    ReportResult,
};
pub use self::rerun::{Again, Rerun, RerunMode, RerunRequest, RerunResponse};
pub use self::settings::{Algorithm, Customer, Insight, Pool};
pub use self::states::{AgendaState, Failure, FailureClass, Mismatch, OperationState};
pub use self::templates::{Change, Stale, TemplateView};

/// Work to do: either a ready agenda, or a template and its inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubmitRequest {
    /// A ready agenda. Exactly one of `agenda` and `template` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agenda: Option<Agenda>,
    /// A template, expanded with `inputs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<AgendaTemplate>,
    /// The template's inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Value>,
    /// The workflow that the submitting client was generated for. If the server has a template of that name with another digest,
    /// that one runs if nothing is different for the client (`popc diff` says `compatible`); else the answer is a problem of
    /// the kind `stale-client`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowRef>,
    /// The owner; wins over the agenda's own `customerId`. Without either it is `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// A client's own key: submitting twice with one key makes one agenda (per customer).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Which workflow an agenda was compiled from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowRef {
    /// The workflow's name.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of the canonical bytes, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// An agenda as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AgendaView {
    /// `ag_…`.
    pub id: String,
    /// The owner.
    pub customer: String,
    /// A label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The client's grouping key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The workflow it was compiled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowRef>,
    /// The state.
    pub state: AgendaState,
    /// Why it is in this state, when that is not obvious.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Finished work plus the percents of what runs, over all: 0 to 100.
    pub percent: f64,
    /// Number of operations.
    pub total: u32,
    /// Number of operations that ended well.
    pub succeeded: u32,
    /// The insight it was matched to.
    pub insight: String,
    /// The pool of that insight.
    pub pool: String,
    /// How often it was handed to a pool.
    pub epoch: u64,
    /// The number of its last event so far.
    #[serde(default)]
    pub last_event: u64,
    /// Accepted at.
    pub submitted_at: Timestamp,
    /// First operation started at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Ended at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The workflow's outputs, once it has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Value>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The operations; empty in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<OperationView>,
}

/// An operation as clients see it, and as a pool gets it back with a lease.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperationView {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The state.
    pub state: OperationState,
    /// The attempt that runs or ran last; 0 before the first.
    pub attempt: u32,
    /// How many attempts failed by the program's own doing: what the retry rules count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// 0 to 100.
    pub percent: f64,
    /// What the program last said about its progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The attempt started at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Ended at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The output, once it has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When the last attempt reached which point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Box<Ledger>>,
}

impl AgendaView {
    /// A view for servers to fill in.
    pub fn new(id: String, state: AgendaState, submitted_at: Timestamp) -> Self {
        Self {
            id,
            customer: String::new(),
            title: None,
            link: None,
            workflow: None,
            state,
            reason: None,
            percent: 0.0,
            total: 0,
            succeeded: 0,
            insight: String::new(),
            pool: String::new(),
            epoch: 0,
            last_event: 0,
            submitted_at,
            started_at: None,
            ended_at: None,
            outputs: None,
            failure: None,
            operations: Vec::new(),
        }
    }

    /// Whether the agenda has ended, also in a state of a newer server.
    pub fn has_ended(&self) -> bool {
        self.state.is_terminal() || self.ended_at.is_some()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The kind of the last message of an event stream: nothing follows.
pub const END: &str = "end";

/// Something that happened to an agenda. Events of one agenda are numbered without gaps from 1. The percent never falls
/// from one event to the next, unless operations were added, or the agenda (`ready` again) was run again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Event {
    /// Position in the agenda's history; also the SSE event id.
    pub seq: u64,
    /// When the server took it in.
    pub at: Timestamp,
    /// The agenda.
    pub agenda: String,
    /// The agenda's state after the event.
    pub state: AgendaState,
    /// The agenda's percent after the event.
    pub percent: f64,
    /// Why the agenda is in this state, when that is not obvious.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The operation that changed, after the change; none when the agenda itself changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationView>,
    /// Operations that were added to the agenda; very many come in several events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<Added>,
    /// The agenda was run again: what that did to its operations; very many come in several events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

impl Event {
    /// An event for servers to fill in.
    pub fn new(seq: u64, at: Timestamp, agenda: String, state: AgendaState) -> Self {
        Self { seq, at, agenda, state, percent: 0.0, reason: None, operation: None, added: None, again: None }
    }
}

/// Operations that a generator has added to an agenda.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Added {
    /// The generator.
    pub generator: String,
    /// The new operations; they wait.
    pub operations: Vec<AddedOperation>,
}

impl Added {
    /// What a generator has added.
    pub fn new(generator: String, operations: Vec<AddedOperation>) -> Self {
        Self { generator, operations }
    }
}

/// An operation that was added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AddedOperation {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
}

impl AddedOperation {
    /// An operation of this name and type.
    pub fn new(name: String, kind: String) -> Self {
        Self { name, kind }
    }
}

/// A piece of an operation's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogChunk {
    /// The operation.
    pub operation: String,
    /// Its attempt.
    pub attempt: u32,
    /// `stdout`, `stderr` or `pop` (what the executor itself has to say).
    pub stream: String,
    /// Position of the first byte in that stream.
    pub offset: u64,
    /// The text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Give this as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page, and where the next one begins.
    pub fn new(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, next }
    }
}

/// An RFC 9457 problem document (`application/problem+json`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Problem {
    /// A URI reference that names the kind of problem, such as `/problems/invalid-agenda`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This case, for people: why the run failed and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The compiler's findings, in the form that `popc check --format json` prints; `operation` names the operation that a
    /// pointer leads to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Value>,
    /// What is different, for the kind `stale-client`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<Box<Stale>>,
}

impl Problem {
    /// A problem of a kind, without the details of this case.
    pub fn new(kind: String, title: String, status: u16) -> Self {
        Self { kind, title, status, ..Self::default() }
    }
}
