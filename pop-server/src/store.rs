//! The door to the data: a small trait in which every change is one transaction, and the rows that reads give. SQL lives
//! in the files below; nobody else knows any.

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

/// The proof of who may write. A store gives it to the process that claims the right to write, and from then on takes no writes
/// under an older one. For a database file it is the number of the claim; for a shared database it would be the leader's
/// term.
#[derive(Debug, PartialEq, Eq)]
pub struct Fence {
    claim: u64,
}

/// Where everything is kept.
///
/// The contract, checked by one conformance suite for all implementations:
/// - [`commit`](Self::commit) applies all writes in order or none, and returns once they are durable;
/// - a read that starts after a commit has returned sees it;
/// - [`load`](Self::load) after commits gives the state that these commits describe;
/// - writes to an agenda that isn't there change nothing, and a repeated log chunk changes nothing;
/// - after a [`claim`](Self::claim), a commit under an older fence changes nothing and is [`StoreError::Fenced`], even when
///   it has no writes: a state that is loaded after a claim stays true until the next claim;
/// - a write that violates a key (an idempotency key, an event's number, an agenda's id) fails as [`Fault::Violated`], and
///   nothing of its commit is stored;
/// - reads may run at the same time as each other and as a commit.
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Takes the right to write from the process that had it.
    fn claim(&self) -> Result<Fence, StoreError>;

    /// What the core needs to start.
    fn load(&self) -> Result<Snapshot, StoreError>;

    /// Applies all writes in one transaction, if the fence is the newest.
    fn commit(&self, fence: &Fence, writes: &[Write]) -> Result<(), StoreError>;

    /// One agenda without its operations.
    fn agenda(&self, id: &AgendaId) -> Result<Option<Record>, StoreError>;

    /// The operations of an agenda, in its order; those that were added come last.
    fn operations(&self, agenda: AgendaNo) -> Result<Vec<(OperationName, Option<OperationRow>)>, StoreError>;

    /// The agenda as it was submitted, as JSON text.
    fn body(&self, agenda: AgendaNo) -> Result<Option<String>, StoreError>;

    /// The operations that generators added to an agenda, in order, each as JSON text.
    fn generated(&self, agenda: AgendaNo) -> Result<Vec<String>, StoreError>;

    /// An agenda as the core would have it if it were alive.
    fn live(&self, id: &AgendaId) -> Result<Option<LiveRow>, StoreError>;

    /// Agendas, the newest first.
    fn agendas(&self, filter: &Filter) -> Result<Vec<Record>, StoreError>;

    /// The agenda that was submitted with this key.
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

    /// Templates of a customer, or those that are for all, by name.
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
    /// Tenants.
    Customer,
    /// Machines.
    Pool,
    /// Rules.
    Insight,
}

impl Kind {
    /// The name for people, and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Pool => "pool",
            Self::Insight => "insight",
        }
    }
}

/// An agenda as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What never changes.
    pub header: AgendaHeader,
    /// What changes.
    pub row: AgendaRow,
    /// The workflow's outputs.
    pub outputs: Option<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// Which agendas to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Of these customers.
    pub scope: Scope,
    /// In this state.
    pub state: Option<AgendaState>,
    /// With this link.
    pub link: Option<String>,
    /// Older than this one.
    pub before: Option<AgendaNo>,
    /// How many at most.
    pub limit: usize,
}

/// Times are stored in microseconds.
fn to_micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}
