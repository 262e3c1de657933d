//! What the core wants stored, and what it needs to start again. Plain data: how it is stored is the store's business, and
//! how clients see it is the API's.

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

/// One change to what is stored. The writes of one command are never stored apart.
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
    /// What an insight's policy must not forget has changed.
    Policy(RowChange),
    /// A new agenda. Its row comes in a [`Write::Agenda`].
    NewAgenda(Box<NewAgenda>),
    /// What changes of an agenda.
    Agenda(AgendaRow),
    /// What an agenda leaves behind.
    Ended(AgendaNo, Option<Value>, Option<Failure>),
    /// Operations that a generator made; the first of them has this position, the others follow.
    Generated(AgendaNo, u32, Vec<AgendaOperation>),
    /// An ended agenda runs again: of these operations nothing is kept, and these are gone (with their logs; what comes
    /// after them moves up). Their new rows come in [`Write::Operation`]s.
    Rerun(AgendaNo, Vec<u32>, Vec<u32>),
    /// Create or replace a template: what it is called, and all of it as JSON text.
    PutTemplate(TemplateHeader, Arc<str>),
    /// Remove a template.
    DeleteTemplate(Option<CustomerId>, String),
    /// Create or replace the row of an operation.
    Operation(Box<OperationRow>),
    /// One more event.
    Event(AgendaNo, Box<Event>),
    /// A piece of log; a repetition changes nothing.
    Log(AgendaNo, Box<LogChunk>),
}

/// An agenda on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAgenda {
    /// What never changes.
    pub header: AgendaHeader,
    /// Its operations, in the agenda's order.
    pub operations: Vec<OperationName>,
    /// The agenda as JSON text.
    pub body: Arc<str>,
    /// The client's own key.
    pub idempotency_key: Option<String>,
    /// Secrets are among its inputs: it is stored encrypted.
    pub secret: bool,
}

/// What never changes about an agenda.
#[derive(Clone, Debug, PartialEq)]
pub struct AgendaHeader {
    /// Its place in the order of submission.
    pub no: AgendaNo,
    /// Its id.
    pub id: AgendaId,
    /// The owner.
    pub customer: CustomerId,
    /// The insight it was matched to.
    pub insight: InsightId,
    /// The pool of that insight.
    pub pool: PoolId,
    /// A label.
    pub title: Option<String>,
    /// The client's grouping key.
    pub link: Option<String>,
    /// The workflow it was compiled from.
    pub workflow: Option<WorkflowRef>,
    /// Accepted at.
    pub submitted_at: Timestamp,
    /// How often it may be handed out without any of its operations ending; none leaves that to the server.
    pub maximum_attempts: Option<u32>,
}

/// Which workflow an agenda was compiled from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowRef {
    /// The workflow's name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// SHA-256 of its content, in hexadecimal.
    pub digest: Option<String>,
}

/// What the workflow of a name is, without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateHeader {
    /// Whose it is; none: it is for all customers.
    pub customer: Option<CustomerId>,
    /// The workflow's name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// SHA-256 of its content, in hexadecimal.
    pub digest: String,
}

/// A piece of an operation's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogChunk {
    /// The operation.
    pub operation: String,
    /// Its attempt.
    pub attempt: u32,
    /// `stdout`, `stderr` or `pop`.
    pub stream: String,
    /// Position of the first byte in that stream.
    pub offset: u64,
    /// The text.
    pub text: String,
}

/// What changes about an agenda.
#[derive(Clone, Debug, PartialEq)]
pub struct AgendaRow {
    /// Which.
    pub no: AgendaNo,
    /// The state.
    pub state: AgendaState,
    /// Stored, but never queued.
    pub on_hold: bool,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// How often it was handed out.
    pub epoch: u64,
    /// How many leases were lost since one of its operations ended.
    pub lost: u32,
    /// Whether a lease of this run was lost.
    pub interrupted: u32,
    /// The number of its last event.
    pub seq: u64,
    /// How far it is.
    pub percent: Percent,
    /// Number of operations.
    pub total: u32,
    /// Operations that ended well.
    pub succeeded: u32,
    /// Its place in its queue; smaller goes first.
    pub queue_position: Option<i64>,
    /// Who holds it.
    pub lease: Option<LeaseRow>,
    /// First operation started at.
    pub started_at: Option<Timestamp>,
    /// Ended at.
    pub ended_at: Option<Timestamp>,
}

/// Who holds an agenda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The agent's stable name.
    pub worker: String,
    /// The start of it that pulled.
    pub instance: String,
    /// The call that pulled.
    pub request: String,
    /// The holder has been (or will be) told to stop.
    pub cancelling: bool,
}

/// An operation's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationName {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
}

/// An operation that is no longer as it was submitted.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationRow {
    /// The agenda.
    pub agenda: AgendaNo,
    /// Its index among the agenda's operations.
    pub position: u32,
    /// The state.
    pub state: OperationState,
    /// Whether it has run and waits to run again.
    pub retrying: bool,
    /// The attempt that runs or ran last.
    pub attempt: u32,
    /// How many attempts failed by the program's own doing.
    pub failures: u32,
    /// How far it is.
    pub percent: Percent,
    /// What the program last said.
    pub message: Option<String>,
    /// The attempt started at; none leaves what is stored for this attempt.
    pub started_at: Option<Timestamp>,
    /// Ended at.
    pub ended_at: Option<Timestamp>,
    /// The output; none leaves what is stored.
    pub output: Option<Value>,
    /// Why the last attempt failed.
    pub failure: Option<Failure>,
}

/// Hundredths of a percent: 0 to 10,000. Sums of them are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u16);

impl Percent {
    /// All of it.
    pub const FULL: Self = Self(10_000);

    /// From 0 to 100; what lies outside is cut off, what is no number is 0.
    pub fn new(percent: f64) -> Self {
        if percent.is_nan() {
            return Self(0);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
        Self((percent.clamp(0.0, 100.0) * 100.0).round() as u16)
    }

    /// From hundredths.
    pub fn from_hundredths(hundredths: u64) -> Self {
        Self(u16::try_from(hundredths).map_or(10_000, |h| h.min(10_000)))
    }

    /// In hundredths.
    pub fn hundredths(self) -> u64 {
        u64::from(self.0)
    }

    /// From 0 to 100.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// Everything the core needs to start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The tenants.
    pub customers: Vec<Customer>,
    /// The pools.
    pub pools: Vec<Pool>,
    /// The insights.
    pub insights: Vec<Insight>,
    /// The templates: what the workflow of each name is.
    pub templates: Vec<TemplateHeader>,
    /// What the policies of insights must not forget.
    pub policies: BTreeMap<InsightId, StoredRows>,
    /// The agendas that have not ended.
    pub live: Vec<LiveRow>,
    /// The number of the newest agenda, ended ones included.
    pub last_no: AgendaNo,
}

/// One agenda that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveRow {
    /// What never changes.
    pub header: AgendaHeader,
    /// What changes.
    pub row: AgendaRow,
    /// Its operations, in the agenda's order.
    pub operations: Vec<OperationName>,
    /// Those that are no longer as submitted; outputs are left out.
    pub changed: Vec<OperationRow>,
    /// The client's own key.
    pub idempotency_key: Option<String>,
}
