//! The commands of the core, and its replies.

mod report;

use std::sync::Arc;

pub use self::report::{AgendaEnd, Generated, LeaseId, Report, ReportResult};
use super::access::Actor;
use super::record::{AgendaHeader, AgendaRow, Customer, Insight, Pool, TemplateHeader, Write};
use super::rerun::RerunPlan;
pub use super::submit::Facts;
use crate::ids::{AgendaId, CustomerId, InsightId, PoolId};

/// A command with its actor.
#[derive(Clone, Debug)]
pub struct Request {
    /// The actor of the command.
    pub actor: Actor,
    /// The command.
    pub command: Command,
}

/// A request that may change the state.
#[derive(Clone, Debug)]
pub enum Command {
    /// Accept an agenda.
    Submit(Box<Submit>),
    /// Stop an agenda.
    Cancel {
        /// The agenda's id.
        agenda: AgendaId,
    },
    /// Rerun an ended agenda.
    Rerun(Box<RerunPlan>),
    /// An agent has started or restarted.
    Attach {
        /// The agent's pool.
        pool: PoolId,
        /// The agent's stable name.
        worker: String,
        /// The agent's instance.
        instance: String,
        /// Leases whose operations the agent still runs.
        holding: Vec<LeaseId>,
    },
    /// An agent asks for work.
    Pull(Pull),
    /// An agent renews its leases.
    Renew {
        /// The agent's pool.
        pool: PoolId,
        /// The agent's stable name.
        worker: String,
        /// The agent's instance.
        instance: String,
        /// The leases to renew.
        leases: Vec<LeaseId>,
    },
    /// An agent gives leases back.
    Release {
        /// The agent's pool.
        pool: PoolId,
        /// The agent's stable name.
        worker: String,
        /// The agent's instance.
        instance: String,
        /// The leases to give back.
        leases: Vec<LeaseId>,
        /// Whether the agent stops: then the agent gives back all its leases and gets no more work.
        leaving: bool,
    },
    /// An agent reports on its agendas.
    Report {
        /// The agent's pool.
        pool: PoolId,
        /// The agent's stable name.
        worker: String,
        /// The agent's instance.
        instance: String,
        /// One report for each agenda.
        reports: Vec<Report>,
    },
    /// Create or change a customer.
    PutCustomer(Customer),
    /// Remove a customer without live agendas.
    DeleteCustomer(CustomerId),
    /// Create or change a pool.
    PutPool(Pool),
    /// Remove a pool that no customer or insight names.
    DeletePool(PoolId),
    /// Create or change an insight.
    PutInsight(Insight),
    /// Remove an insight without live agendas.
    DeleteInsight(InsightId),
    /// Create or replace a template.
    PutTemplate(Box<PutTemplate>),
    /// Remove a template.
    DeleteTemplate {
        /// The template's owner; none for a template of all customers.
        customer: Option<CustomerId>,
        /// The workflow's name.
        name: String,
    },
    /// End the overdue leases.
    Tick,
    /// Panic in the middle of the command.
    #[cfg(test)]
    Panic,
    /// Panic at the next tick.
    #[cfg(test)]
    PanicAtTick,
}

/// A checked template.
#[derive(Clone, Debug)]
pub struct PutTemplate {
    /// The template's name, version and digest.
    pub header: TemplateHeader,
    /// The template as JSON text, stored unchanged.
    pub body: Arc<str>,
}

/// A checked agenda.
#[derive(Clone, Debug)]
pub struct Submit {
    /// The agenda's new id.
    pub id: AgendaId,
    /// The agenda's owner.
    pub customer: CustomerId,
    /// The properties of the agenda that the core needs.
    pub facts: Facts,
    /// The agenda as JSON text, stored unchanged.
    pub body: Arc<str>,
    /// The client's idempotency key.
    pub idempotency_key: Option<String>,
    /// The name and digest of the workflow behind the client.
    pub made_for: Option<(String, String)>,
}

/// An agent's request for work.
#[derive(Clone, Debug)]
pub struct Pull {
    /// The agent's pool.
    pub pool: PoolId,
    /// The agent's stable name.
    pub worker: String,
    /// The agent's instance.
    pub instance: String,
    /// The only insight to pull from; none means all insights of the pool.
    pub insight: Option<InsightId>,
    /// Largest number of agendas to return.
    pub count: usize,
    /// The id of the call, equal for each repetition of the call.
    pub request: String,
    /// Whether the server repeats a waiting call. Such a repetition is no sign that the agent is alive.
    pub woken: bool,
}

impl Command {
    /// The command's name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submit(_) => "submit",
            Self::Cancel { .. } => "cancel",
            Self::Rerun(_) => "rerun",
            Self::Attach { .. } => "attach",
            Self::Pull(_) => "pull",
            Self::Renew { .. } => "renew",
            Self::Release { .. } => "release",
            Self::Report { .. } => "report",
            Self::PutCustomer(_) => "put customer",
            Self::DeleteCustomer(_) => "delete customer",
            Self::PutPool(_) => "put pool",
            Self::DeletePool(_) => "delete pool",
            Self::PutInsight(_) => "put insight",
            Self::DeleteInsight(_) => "delete insight",
            Self::PutTemplate(_) => "put template",
            Self::DeleteTemplate { .. } => "delete template",
            Self::Tick => "tick",
            #[cfg(test)]
            Self::Panic | Self::PanicAtTick => "panic",
        }
    }
}

/// The results of a command.
#[derive(Debug)]
pub struct Outcome {
    /// The reply to the caller, valid once the writes are durable.
    pub reply: Result<Reply, Refusal>,
    /// Writes to commit together.
    pub writes: Vec<Write>,
    /// Effects to perform once the writes are durable.
    pub effects: Vec<Effect>,
}

/// The reply to an accepted command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The command succeeded without a result.
    Done,
    /// The core accepted the agenda.
    Submitted(Box<(AgendaHeader, AgendaRow)>),
    /// An earlier submission with the same key made this agenda.
    Seen(AgendaId),
    /// The agenda was alive, and is cancelled now or soon.
    Cancelling,
    /// The agenda runs again.
    Rerunning {
        /// Later events belong to the rerun.
        after: u64,
        /// The reset operations, by name.
        reset: Vec<String>,
    },
    /// No live agenda has this id; the agenda may have ended.
    NotAlive,
    /// The agent is attached.
    Attached {
        /// Ended leases of other instances.
        returned: Vec<LeaseId>,
        /// Leases that the agent claimed and holds.
        kept: Vec<LeaseId>,
    },
    /// The granted agendas; empty when no agenda waits.
    Granted(Vec<Granted>),
    /// The agent let a lease run out and has not called since, so a waiting pull gets nothing.
    Silent,
    /// The leases that have ended.
    Released(Vec<LeaseId>),
    /// The leases are renewed.
    Renewed {
        /// Leases of agendas to cancel.
        cancel: Vec<LeaseId>,
        /// Leases that another agent or no agent holds.
        lost: Vec<LeaseId>,
    },
    /// The result of each report.
    Reported(Vec<ReportResult>),
    /// The command created the thing.
    Created,
    /// The thing existed, and has the requested content now.
    Updated,
    /// Number of leases that ended.
    Expired(usize),
}

/// One granted agenda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The agenda's id.
    pub id: AgendaId,
    /// The lease's epoch.
    pub epoch: u64,
    /// Number of lost leases of this run.
    pub interrupted: u32,
}

/// Reasons why the core refused a command. A refused command changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The customer does not exist.
    #[error(
        "customer `{0}` does not exist; create it with PUT /v1/customers/{0} and a body such as {{\"pool\":\"default\"}}"
    )]
    UnknownCustomer(CustomerId),
    /// The pool does not exist.
    #[error("pool `{0}` does not exist; create it with PUT /v1/pools/{0} and the body {{}}")]
    UnknownPool(PoolId),
    /// The insight does not exist, or another pool serves it.
    #[error("insight `{0}` does not exist in this pool")]
    UnknownInsight(InsightId),
    /// A thing does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
    /// No insight matches the agenda.
    #[error("no insight of pool `{pool}` matches this agenda; tried: {}", tried_text(.tried))]
    NoInsight {
        /// The customer's pool.
        pool: PoolId,
        /// Each insight that was tried, with the reason why it does not match.
        tried: Vec<(InsightId, String)>,
    },
    /// Another instance of the agent attached later.
    #[error(
        "a later start of agent `{0}` has taken over all leases. Stop this agent, or give it another --name."
    )]
    Superseded(String),
    /// The request contradicts itself or the state.
    #[error("{0}")]
    Invalid(String),
    /// The server's template has another digest than the client.
    #[error("the server has another version of workflow `{workflow}`. Generate the client again")]
    Stale {
        /// The template's owner; none for a template of all customers.
        customer: Option<CustomerId>,
        /// The workflow's name.
        workflow: String,
        /// The digest of the server's template.
        digest: String,
    },
    /// The agenda has not ended, or runs again.
    #[error("{0}")]
    NotEnded(String),
    /// A rerun would run no operation.
    #[error("{0}")]
    NothingToRun(String),
    /// Another thing still needs the thing to remove.
    #[error("{0}")]
    InUse(String),
}

fn tried_text(tried: &[(InsightId, String)]) -> String {
    if tried.is_empty() {
        return "none, because the pool has no insight. Create one with PUT /v1/insights/…".to_owned();
    }
    tried.iter().map(|(id, why)| format!("`{id}`: {why}")).collect::<Vec<_>>().join("; ")
}

/// An action to perform after the commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// One more agenda of this insight waits for a pull: wake one waiting poll.
    WorkAvailable(PoolId, InsightId),
    /// The agenda has new events.
    Changed(AgendaId),
    /// The holder of a lease must learn that its agenda is to be cancelled.
    CancelAsked,
}
