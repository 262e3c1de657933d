//! The one door from a pool to its server. A pool behind HTTP, one in the server's own process and a test's script are
//! implementations; agent and executor know none of them.

pub mod http;

use std::time::Duration;

use pop_sdk::api::{
    AttachResponse, LeaseId, PullResponse, ReleaseResponse, RenewResponse, Report, ReportResult,
};

use crate::runtime::Pending;

/// Which agent speaks. A port says this with every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The pool that the agent works for.
    pub pool: String,
    /// Its stable name; a second agent of the same name takes over from the first.
    pub worker: String,
    /// This start of it.
    pub instance: String,
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The server can't be reached, or not at the moment: the same call may work later.
    #[error("{0}")]
    Unreachable(String),
    /// The server does not take the agent's credentials. That may be mended while work goes on.
    #[error("{0}")]
    Denied(String),
    /// Superseded by a later start of the agent.
    #[error("{0}")]
    Superseded(String),
    /// The server has no such pool or insight: it has no work for this agent, and holds no leases of it.
    #[error("{0}")]
    Unknown(String),
    /// The request is larger than the server, or something before it, takes.
    #[error("{0}")]
    TooLarge(String),
    /// The server will never take this request.
    #[error("{0}")]
    Refused(String),
}

impl PortError {
    /// What a server's refusal means: its status, the kind of problem that it names (none, if it was no server of ours) and
    /// its text. Only a server's own word counts as final, not that of something between: a proxy may say 404 while its
    /// server is away. The size is an exception, for a proxy's limit is as good as any.
    pub fn of(status: u16, kind: &str, text: String) -> Self {
        let own = kind.starts_with("/problems/");
        match status {
            413 => Self::TooLarge(text),
            401 | 403 => Self::Denied(text),
            409 if kind == "/problems/superseded" => Self::Superseded(text),
            404 if own => Self::Unknown(text),
            408 | 425 | 429 => Self::Unreachable(text),
            400..500 if own => Self::Refused(text),
            _ => Self::Unreachable(text),
        }
    }

    /// Whether the same call may work later.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Denied(_))
    }
}

/// What a port's call gives.
pub type Answer<'a, T> = Pending<'a, Result<T, PortError>>;

/// Where reports go.
pub trait ReportPort: Send + Sync + 'static {
    /// Sends reports in one request. What was accepted is durable. The results are in the order of the reports.
    fn report<'a>(&'a self, reports: &'a [Report]) -> Answer<'a, Vec<ReportResult>>;
}

/// What an agent asks of its server. Every call may be repeated, and dropped at any moment.
pub trait ServerPort: ReportPort {
    /// Says that this start of the agent is the one that counts now, and which leases it still works on.
    fn attach(&self, holding: Vec<LeaseId>) -> Answer<'_, AttachResponse>;

    /// Asks for up to `count` agendas, and waits so long for the first. A repetition with the same `request` gets the same.
    fn pull(
        &self,
        insight: Option<String>,
        count: u32,
        wait: Duration,
        request: String,
    ) -> Answer<'_, PullResponse>;

    /// Keeps leases. The answer comes when one of them is to be cancelled, at the latest after `wait`; the leases count from
    /// the moment of the call.
    fn renew(&self, leases: Vec<LeaseId>, wait: Duration) -> Answer<'_, RenewResponse>;

    /// Gives leases back. An agent that is `leaving` gives back whatever else it was granted, too.
    fn release(&self, leases: Vec<LeaseId>, leaving: bool) -> Answer<'_, ReleaseResponse>;
}
