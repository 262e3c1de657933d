//! The core's stored data: writes, and the snapshot for a start. Plain data: the store chooses the form on disk, the
//! API the form for clients.

mod event;
mod failure;
mod settings;
mod states;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pop_compiler::agenda::Operation as AgendaOperation;
use serde_json::Value;

pub use self::event::{Added, Event, OperationUpdate, RerunOperations};
pub use self::failure::{Failure, Mismatch};
pub use self::settings::{Customer, Insight, Pool, Setting};
pub use self::states::{AgendaState, FailureClass, OperationState};

use crate::ids::{AgendaId, AgendaNo, CustomerId, InsightId, PoolId};
use crate::scheduler::{RowChange, StoredRows};

/// One stored change. The store commits the writes of one command together.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Create or replace a customer.
    PutCustomer(Customer),
    /// Remove a customer.
    DeleteCustomer(CustomerId),
    /// Create or replace a pool.
    PutPool(Pool),
    /// Remove a pool.
    DeletePool(PoolId),
    /// Create or replace an insight.
    PutInsight(Insight),
    /// Remove an insight.
    DeleteInsight(InsightId),
    /// Change a row of an insight's policy.
    Policy(RowChange),
    /// Add a new agenda. A [`Write::Agenda`] carries its row.
    NewAgenda(Box<NewAgenda>),
    /// Replace the changing part of an agenda.
    Agenda(AgendaRow),
    /// Set the outputs and the failure of an ended agenda.
    Ended(AgendaNo, Option<Value>, Option<Failure>),
    /// Add generated operations. The first one has this position, the others follow.
    Generated(AgendaNo, u32, Vec<AgendaOperation>),
    /// Reset an ended agenda for a rerun. The first list holds the positions of reset operations, which lose their
    /// stored rows; [`Write::Operation`]s carry the new rows.
    ///
    /// The second list holds the positions of removed operations. Removed operations lose their logs too, and later
    /// operations move up.
    Rerun(AgendaNo, Vec<u32>, Vec<u32>),
    /// Create or replace a template: its header, and the whole template as JSON text.
    PutTemplate(TemplateHeader, Arc<str>),
    /// Remove a template.
    DeleteTemplate(Option<CustomerId>, String),
    /// Create or replace the row of an operation.
    Operation(Box<OperationRow>),
    /// Add an event.
    Event(AgendaNo, Box<Event>),
    /// Add a piece of log; a repetition changes nothing.
    Log(AgendaNo, Box<LogChunk>),
}

/// A new agenda to store.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAgenda {
    /// The constant part of the agenda.
    pub header: AgendaHeader,
    /// Operations in the agenda's order.
    pub operations: Vec<OperationName>,
    /// The agenda as JSON text.
    pub body: Arc<str>,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
    /// Whether the inputs contain secrets; the store encrypts such an agenda.
    pub secret: bool,
}

/// The constant part of an agenda.
#[derive(Clone, Debug, PartialEq)]
pub struct AgendaHeader {
    /// The agenda's place in the order of submission.
    pub no: AgendaNo,
    /// The agenda's id.
    pub id: AgendaId,
    /// The agenda's owner.
    pub customer: CustomerId,
    /// The insight that took the agenda.
    pub insight: InsightId,
    /// The pool of that insight.
    pub pool: PoolId,
    /// A label for people.
    pub title: Option<String>,
    /// The client's link.
    pub link: Option<String>,
    /// The workflow behind the agenda.
    pub workflow: Option<WorkflowRef>,
    /// Time of the submission.
    pub submitted_at: Timestamp,
    /// Number of lost leases without the end of an operation that ends the agenda; none means the server's default.
    pub maximum_attempts: Option<u32>,
}

/// The workflow from which an agenda was compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowRef {
    /// The workflow's name.
    pub name: String,
    /// The workflow's version.
    pub version: Option<String>,
    /// SHA-256 of the workflow's content, in hexadecimal.
    pub digest: Option<String>,
}

/// A template without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateHeader {
    /// The template's owner; none for a template of all customers.
    pub customer: Option<CustomerId>,
    /// The workflow's name.
    pub name: String,
    /// The workflow's version.
    pub version: Option<String>,
    /// SHA-256 of the template's content, in hexadecimal.
    pub digest: String,
}

/// A piece of an operation's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogChunk {
    /// The operation's name.
    pub operation: String,
    /// The attempt's number.
    pub attempt: u32,
    /// `stdout`, `stderr` or `pop`.
    pub stream: String,
    /// Position of the first byte in the stream.
    pub offset: u64,
    /// The text.
    pub text: String,
}

/// The changing part of an agenda.
#[derive(Clone, Debug, PartialEq)]
pub struct AgendaRow {
    /// The agenda's number.
    pub no: AgendaNo,
    /// The agenda's state.
    pub state: AgendaState,
    /// Whether the agenda is stored but never queued.
    pub on_hold: bool,
    /// The reason for the state.
    pub reason: Option<String>,
    /// Number of the agenda's last lease; 0 before the first one.
    pub epoch: u64,
    /// Number of leases lost since an operation ended.
    pub lost: u32,
    /// Number of lost leases of this run.
    pub interrupted: u32,
    /// Number of the last event.
    pub seq: u64,
    /// The agenda's progress.
    pub percent: Percent,
    /// Number of operations.
    pub total: u32,
    /// Number of operations that succeeded.
    pub succeeded: u32,
    /// Position in the insight's queue; smaller goes first.
    pub queue_position: Option<i64>,
    /// The agenda's lease.
    pub lease: Option<LeaseRow>,
    /// Start of the first operation.
    pub started_at: Option<Timestamp>,
    /// Time of the agenda's end.
    pub ended_at: Option<Timestamp>,
}

/// The holder of an agenda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The agent's stable name.
    pub worker: String,
    /// The agent's instance that pulled.
    pub instance: String,
    /// The id of the call that pulled.
    pub request: String,
    /// Whether the agenda must be cancelled; the holder learns of the cancel.
    pub cancelling: bool,
}

/// The name and the type of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationName {
    /// The operation's name.
    pub name: String,
    /// The operation's type.
    pub kind: String,
}

/// The row of an operation that differs from its submitted state.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationRow {
    /// The agenda's number.
    pub agenda: AgendaNo,
    /// The operation's index in the agenda.
    pub position: u32,
    /// The operation's state.
    pub state: OperationState,
    /// Whether the operation waits for a retry.
    pub retrying: bool,
    /// Number of the present or last attempt.
    pub attempt: u32,
    /// Number of attempts that failed by the program's own fault.
    pub failures: u32,
    /// The operation's progress.
    pub percent: Percent,
    /// The program's last message.
    pub message: Option<String>,
    /// Start of the attempt; none keeps the stored time of this attempt.
    pub started_at: Option<Timestamp>,
    /// Time of the operation's end.
    pub ended_at: Option<Timestamp>,
    /// The output; none keeps the stored output.
    pub output: Option<Value>,
    /// The failure of the last attempt.
    pub failure: Option<Failure>,
    /// The moments of the attempt; none keeps the stored ones of this attempt.
    pub ledger: Option<Box<Ledger>>,
}

/// The moments of an attempt, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The pod.
    pub pod: Option<String>,
    /// The pod's node.
    pub node: Option<String>,
    /// The attempt was due.
    pub ready_at: Option<Timestamp>,
    /// The API server had the pod.
    pub posted_at: Option<Timestamp>,
    /// The pod had a node.
    pub scheduled_at: Option<Timestamp>,
    /// The pod's first container started.
    pub pulled_at: Option<Timestamp>,
    /// The operation's container started.
    pub container_at: Option<Timestamp>,
    /// The pool heard of the program for the first time.
    pub spoke_at: Option<Timestamp>,
    /// The program ended.
    pub exited_at: Option<Timestamp>,
    /// The pool had the outcome.
    pub reported_at: Option<Timestamp>,
    /// The outcome was durable.
    pub committed_at: Option<Timestamp>,
}

/// Hundredths of a percent: 0 to 10,000. Sums of them are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u16);

impl Percent {
    /// 100 percent.
    pub const FULL: Self = Self(10_000);

    /// Creates a percentage from 0 to 100. A value outside is cut off, a value that is not a number becomes 0.
    pub fn new(percent: f64) -> Self {
        if percent.is_nan() {
            return Self(0);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
        Self((percent.clamp(0.0, 100.0) * 100.0).round() as u16)
    }

    /// Creates a percentage from hundredths of a percent.
    pub fn from_hundredths(hundredths: u64) -> Self {
        Self(u16::try_from(hundredths).map_or(10_000, |h| h.min(10_000)))
    }

    /// The value in hundredths of a percent.
    pub fn hundredths(self) -> u64 {
        u64::from(self.0)
    }

    /// The value from 0 to 100.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// The stored state for a start of the core.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The customers.
    pub customers: Vec<Customer>,
    /// The pools.
    pub pools: Vec<Pool>,
    /// The insights.
    pub insights: Vec<Insight>,
    /// The templates, without their content.
    pub templates: Vec<TemplateHeader>,
    /// The stored rows of each insight's policy.
    pub policies: BTreeMap<InsightId, StoredRows>,
    /// The agendas that have not ended.
    pub live: Vec<LiveRow>,
    /// The number of the newest agenda, ended ones included.
    pub last_no: AgendaNo,
}

/// A stored agenda that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveRow {
    /// The constant part.
    pub header: AgendaHeader,
    /// The changing part.
    pub row: AgendaRow,
    /// Operations in the agenda's order.
    pub operations: Vec<OperationName>,
    /// Rows of the operations that differ from their submitted state, without outputs.
    pub changed: Vec<OperationRow>,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
}
