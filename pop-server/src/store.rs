//! Access to the stored data: a small trait in which every change is one transaction, and the rows that reads return.
//! Only the files below know SQL.

mod document;
mod error;
pub mod sqlite;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod faulty;

use jiff::Timestamp;
use serde_json::Value;

pub use self::error::{Fault, StoreError};

use crate::core::access::Scope;
use crate::core::record::{
    AgendaHeader, AgendaRow, AgendaState, Event, Failure, LiveRow, LogChunk, OperationName, OperationRow,
    Setting, Snapshot, TemplateHeader, Write,
};
use crate::ids::{AgendaId, AgendaNo, CustomerId};

/// The proof of the right to write. A store gives a fence to the process that claims this right, and refuses writes
/// under an older fence. For a database file, the fence is the number of the claim; for a shared database, the leader's
/// term could be the fence.
#[derive(Debug, PartialEq, Eq)]
pub struct Fence {
    claim: u64,
}

/// The stored data.
///
/// The contract, checked by one conformance suite for all implementations:
/// - [`commit`](Self::commit) applies all writes in order or none, and returns once they are durable;
/// - a read that starts after the return of a commit sees the commit;
/// - [`load`](Self::load) after commits gives the state that these commits describe;
/// - writes to an unknown agenda change nothing, and a repeated log chunk changes nothing;
/// - after a [`claim`](Self::claim), a commit under an older fence changes nothing and is [`StoreError::Fenced`], even
///   a commit without writes: a state loaded after a claim stays true until the next claim;
/// - a write that violates a key (an idempotency key, an event's number, an agenda's id) fails as [`Fault::Violated`],
///   and the store keeps nothing of its commit;
/// - reads may run at the same time as each other and as a commit.
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Takes the right to write from the process that held it.
    fn claim(&self) -> Result<Fence, StoreError>;

    /// The stored state for a start of the core.
    fn load(&self) -> Result<Snapshot, StoreError>;

    /// Applies all writes in one transaction, if the fence is the newest one.
    fn commit(&self, fence: &Fence, writes: &[Write]) -> Result<(), StoreError>;

    /// One agenda without its operations.
    fn agenda(&self, id: &AgendaId) -> Result<Option<Record>, StoreError>;

    /// The operations of an agenda, in its order; generated operations come last.
    fn operations(&self, agenda: AgendaNo) -> Result<Vec<(OperationName, Option<OperationRow>)>, StoreError>;

    /// The submitted agenda as JSON text.
    fn body(&self, agenda: AgendaNo) -> Result<Option<String>, StoreError>;

    /// The generated operations of an agenda, in order, each as JSON text.
    fn generated(&self, agenda: AgendaNo) -> Result<Vec<String>, StoreError>;

    /// An agenda in the form of a live agenda, also after its end.
    fn live(&self, id: &AgendaId) -> Result<Option<LiveRow>, StoreError>;

    /// Agendas, the newest first.
    fn agendas(&self, filter: &Filter) -> Result<Vec<Record>, StoreError>;

    /// The agenda of an idempotency key.
    fn by_key(&self, customer: &CustomerId, key: &str) -> Result<Option<AgendaId>, StoreError>;

    /// Events of an agenda after this number, in order.
    fn events(&self, agenda: AgendaNo, after: u64, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// Log chunks of an agenda in the order of their arrival, after the given position.
    fn logs(
        &self,
        agenda: AgendaNo,
        operation: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, LogChunk)>, StoreError>;

    /// Customers, pools or insights by id.
    fn settings(&self, kind: Kind, after: &str, limit: usize) -> Result<Vec<Setting>, StoreError>;

    /// One customer, pool or insight.
    fn setting(&self, kind: Kind, id: &str) -> Result<Option<Setting>, StoreError>;

    /// Templates of a customer, or the templates of all customers, by name.
    fn templates(
        &self,
        customer: Option<&CustomerId>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<TemplateHeader>, StoreError>;

    /// One template, as JSON text.
    fn template(&self, customer: Option<&CustomerId>, name: &str) -> Result<Option<String>, StoreError>;
}

/// The kinds of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Customers.
    Customer,
    /// Pools.
    Pool,
    /// Insights.
    Insight,
}

impl Kind {
    /// The name in messages and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Pool => "pool",
            Self::Insight => "insight",
        }
    }
}

/// A stored agenda.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The constant part.
    pub header: AgendaHeader,
    /// The changing part.
    pub row: AgendaRow,
    /// The workflow's outputs.
    pub outputs: Option<Value>,
    /// The reason for a failure.
    pub failure: Option<Failure>,
}

/// The agendas to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The customers of the agendas.
    pub scope: Scope,
    /// The state of the agendas; none means every state.
    pub state: Option<AgendaState>,
    /// The link of the agendas; none means every link.
    pub link: Option<String>,
    /// Only agendas older than this one.
    pub before: Option<AgendaNo>,
    /// Largest number of agendas.
    pub limit: usize,
}

/// The stored form of a time: microseconds since 1970.
fn to_micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}
