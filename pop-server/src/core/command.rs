//! What can be asked of the core, and what it answers.

mod report;

use std::sync::Arc;

pub use self::report::{AgendaEnd, Generated, LeaseId, Report, ReportResult};
use super::access::Actor;
use super::record::{AgendaHeader, AgendaRow, Customer, Insight, Pool, TemplateHeader, Write};
use super::rerun::RerunPlan;
pub use super::submit::Facts;
use crate::ids::{AgendaId, CustomerId, InsightId, PoolId};

/// A command, and on whose behalf it is.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// For what.
    pub command: Command,
}

/// A request that may change the state.
#[derive(Clone, Debug)]
pub enum Command {
    /// Take an agenda in.
    Submit(Box<Submit>),
    /// Stop an agenda.
    Cancel {
        /// Which.
        agenda: AgendaId,
    },
    /// Run an ended agenda again.
    Rerun(Box<RerunPlan>),
    /// A pool agent has (re)started.
    Attach {
        /// Its pool.
        pool: PoolId,
        /// Its stable name.
        worker: String,
        /// This start of it.
        instance: String,
        /// Leases whose operations still run with it.
        holding: Vec<LeaseId>,
    },
    /// A pool agent wants work.
    Pull(Pull),
    /// A pool agent is alive.
    Renew {
        /// Its pool.
        pool: PoolId,
        /// Its stable name.
        worker: String,
        /// This start of it.
        instance: String,
        /// What it holds.
        leases: Vec<LeaseId>,
    },
    /// A pool agent gives leases back.
    Release {
        /// Its pool.
        pool: PoolId,
        /// Its stable name.
        worker: String,
        /// This start of it.
        instance: String,
        /// What it gives back.
        leases: Vec<LeaseId>,
        /// Whether the agent stops: then everything that it holds comes back, and it gets no more work.
        leaving: bool,
    },
    /// A pool agent tells what happened.
    Report {
        /// Its pool.
        pool: PoolId,
        /// Its stable name.
        worker: String,
        /// This start of it.
        instance: String,
        /// One entry for each agenda.
        reports: Vec<Report>,
    },
    /// Create or change a customer.
    PutCustomer(Customer),
    /// Remove a customer that has nothing alive.
    DeleteCustomer(CustomerId),
    /// Create or change a pool.
    PutPool(Pool),
    /// Remove a pool that nothing refers to.
    DeletePool(PoolId),
    /// Create or change an insight.
    PutInsight(Insight),
    /// Remove an insight that has nothing alive.
    DeleteInsight(InsightId),
    /// Say what the workflow of a name is.
    PutTemplate(Box<PutTemplate>),
    /// Forget what the workflow of a name is.
    DeleteTemplate {
        /// Whose; none: the one that is for all.
        customer: Option<CustomerId>,
        /// The workflow.
        name: String,
    },
    /// Time has passed: end what is overdue.
    Tick,
    /// Go wrong in the middle.
    #[cfg(test)]
    Panic,
    /// Go wrong at the next tick.
    #[cfg(test)]
    PanicAtTick,
}

/// A template to keep, checked already.
#[derive(Clone, Debug)]
pub struct PutTemplate {
    /// Its name, version and digest.
    pub header: TemplateHeader,
    /// The template as JSON text, to be stored as it is.
    pub body: Arc<str>,
}

/// An agenda to take in, checked already.
#[derive(Clone, Debug)]
pub struct Submit {
    /// Its new id.
    pub id: AgendaId,
    /// The owner.
    pub customer: CustomerId,
    /// What the core must know of the agenda.
    pub facts: Facts,
    /// The agenda as JSON text, to be stored as it is.
    pub body: Arc<str>,
    /// The client's own key.
    pub idempotency_key: Option<String>,
    /// The workflow that the client was made for: its name and its digest.
    pub made_for: Option<(String, String)>,
}

/// A pool agent wants work.
#[derive(Clone, Debug)]
pub struct Pull {
    /// Its pool.
    pub pool: PoolId,
    /// Its stable name.
    pub worker: String,
    /// This start of it.
    pub instance: String,
    /// Only from this insight.
    pub insight: Option<InsightId>,
    /// How many at most.
    pub count: usize,
    /// The same for each repetition of one call.
    pub request: String,
    /// The server asks again for a call that waits: no sign that its agent is alive.
    pub woken: bool,
}

impl Command {
    /// Its name in logs.
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

/// What became of a command.
#[derive(Debug)]
pub struct Outcome {
    /// For the caller, once the writes are durable.
    pub reply: Result<Reply, Refusal>,
    /// To be committed together.
    pub writes: Vec<Write>,
    /// To be performed once the writes are durable.
    pub effects: Vec<Effect>,
}

/// A good answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Nothing to say.
    Done,
    /// The agenda was taken in.
    Submitted(Box<(AgendaHeader, AgendaRow)>),
    /// An agenda with that key was taken in before.
    Seen(AgendaId),
    /// The agenda was alive; it is cancelled, or will be.
    Cancelling,
    /// The agenda runs again.
    Rerunning {
        /// Events after this one belong to it.
        after: u64,
        /// The operations that begin anew, by name.
        reset: Vec<String>,
    },
    /// No such agenda is alive; it may have ended.
    NotAlive,
    /// The agent is known.
    Attached {
        /// Leases of other instances that have ended.
        returned: Vec<LeaseId>,
        /// Leases that the agent said it holds, and does.
        kept: Vec<LeaseId>,
    },
    /// Handed out; empty when nothing waits.
    Granted(Vec<Granted>),
    /// Nothing is handed out to an agent that let a lease run out until it calls again.
    Silent,
    /// These leases have ended.
    Released(Vec<LeaseId>),
    /// What became of the leases.
    Renewed {
        /// To be cancelled.
        cancel: Vec<LeaseId>,
        /// Held by another agent, or by none.
        lost: Vec<LeaseId>,
    },
    /// The word on each report.
    Reported(Vec<ReportResult>),
    /// The thing was created.
    Created,
    /// The thing was there and is as asked for now.
    Updated,
    /// How many leases ended.
    Expired(usize),
}

/// One agenda, handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The agenda.
    pub id: AgendaId,
    /// The lease's epoch.
    pub epoch: u64,
    /// An earlier lease of this run was lost.
    pub interrupted: u32,
}

/// Why a command was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The customer isn't there.
    #[error(
        "customer `{0}` does not exist; create it with PUT /v1/customers/{0} and a body such as {{\"pool\":\"default\"}}"
    )]
    UnknownCustomer(CustomerId),
    /// The pool isn't there.
    #[error("pool `{0}` does not exist; create it with PUT /v1/pools/{0} and the body {{}}")]
    UnknownPool(PoolId),
    /// The insight isn't there, or serves another pool.
    #[error("insight `{0}` does not exist in this pool")]
    UnknownInsight(InsightId),
    /// Nothing of that name.
    #[error("{0} does not exist")]
    NotFound(String),
    /// No insight matches the agenda.
    #[error("no insight of pool `{pool}` matches this agenda; tried: {}", tried_text(.tried))]
    NoInsight {
        /// The customer's pool.
        pool: PoolId,
        /// Each insight, and why it doesn't.
        tried: Vec<(InsightId, String)>,
    },
    /// Another instance has attached since.
    #[error(
        "a later start of agent `{0}` has taken over all leases. Stop this agent, or give it another --name."
    )]
    Superseded(String),
    /// The request contradicts itself or the state.
    #[error("{0}")]
    Invalid(String),
    /// The server's template of that name is another one than the client was made for.
    #[error("the server has another version of workflow `{workflow}`. Generate the client again")]
    Stale {
        /// Whose template that is; none: it is for all.
        customer: Option<CustomerId>,
        /// The workflow.
        workflow: String,
        /// The digest of the server's template.
        digest: String,
    },
    /// The agenda has not ended (again).
    #[error("{0}")]
    NotEnded(String),
    /// A rerun would run nothing.
    #[error("{0}")]
    NothingToRun(String),
    /// Something still needs it.
    #[error("{0}")]
    InUse(String),
}

fn tried_text(tried: &[(InsightId, String)]) -> String {
    if tried.is_empty() {
        return "none, because the pool has no insight. Create one with PUT /v1/insights/…".to_owned();
    }
    tried.iter().map(|(id, why)| format!("`{id}`: {why}")).collect::<Vec<_>>().join("; ")
}

/// Something to do after the commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// One more agenda of this insight may be pulled: wake one who waits for it.
    WorkAvailable(PoolId, InsightId),
    /// The agenda has new events.
    Changed(AgendaId),
    /// The holder of a lease is to be told that its agenda is to be cancelled.
    CancelAsked,
}
