//! The interface of a pool to its server. Implementations are a server behind HTTP, a server in the same process, and a
//! script of a test; agent and executor know none of them.

pub mod http;

use std::time::Duration;

use pop_sdk::api::{
    AttachResponse, LeaseId, PullResponse, ReleaseResponse, RenewResponse, Report, ReportResult,
};

use crate::runtime::Pending;

/// The identity of an agent, part of every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The agent's pool.
    pub pool: String,
    /// The agent's stable name; a second agent of the same name takes over from the first.
    pub worker: String,
    /// The agent's instance.
    pub instance: String,
}

/// Reasons for a failed call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The server can't be reached, or not now: the same call may succeed later.
    #[error("{0}")]
    Unreachable(String),
    /// The server refuses the agent's credentials. New credentials may arrive while work goes on.
    #[error("{0}")]
    Denied(String),
    /// A later instance of the agent has attached.
    #[error("{0}")]
    Superseded(String),
    /// The server has no such pool or insight: it has no work for this agent, and holds no leases of the agent.
    #[error("{0}")]
    Unknown(String),
    /// The request is larger than the server, or a proxy in front of it, accepts.
    #[error("{0}")]
    TooLarge(String),
    /// The server will never accept this request.
    #[error("{0}")]
    Refused(String),
}

impl PortError {
    /// The error behind a status, the kind of problem (empty for other servers than POP's) and a text. Only the answer
    /// of POP's server is final, because a proxy may answer 404 while its server is away. The size is an exception: the
    /// limit of a proxy counts too.
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

    /// Whether the same call may succeed later.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Denied(_))
    }
}

/// The result of a port's call.
pub type Answer<'a, T> = Pending<'a, Result<T, PortError>>;

/// The receiver of reports.
pub trait ReportPort: Send + Sync + 'static {
    /// Sends reports in one request. Accepted reports are durable. The results are in the order of the reports.
    fn report<'a>(&'a self, reports: &'a [Report]) -> Answer<'a, Vec<ReportResult>>;
}

/// The server's calls for an agent. Every call may be repeated, and dropped at any moment.
pub trait ServerPort: ReportPort {
    /// Attaches this instance of the agent, with the leases that it still works on.
    fn attach(&self, holding: Vec<LeaseId>) -> Answer<'_, AttachResponse>;

    /// Pulls up to `count` agendas, and waits up to `wait` for the first one. A repetition with the same `request` gets
    /// the same leases.
    fn pull(
        &self,
        insight: Option<String>,
        count: u32,
        wait: Duration,
        request: String,
    ) -> Answer<'_, PullResponse>;

    /// Renews leases. The answer comes with the first cancel, at the latest after `wait`. The renewed leases count from
    /// the start of the call.
    fn renew(&self, leases: Vec<LeaseId>, wait: Duration) -> Answer<'_, RenewResponse>;

    /// Gives leases back. An agent that is `leaving` gives back all its other leases, too.
    fn release(&self, leases: Vec<LeaseId>, leaving: bool) -> Answer<'_, ReleaseResponse>;
}
