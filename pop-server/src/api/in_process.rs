//! A server port for an agent in the same process: the calls of the HTTP API without HTTP.

use pop_sdk::api::{
    AttachRequest, AttachResponse, LeaseId, PullRequest, PullResponse, ReleaseRequest, ReleaseResponse,
    RenewRequest, RenewResponse, Report, ReportRequest, ReportResult,
};

use std::time::Duration;

use super::pools::call;
use crate::api::AppState;
use crate::http::problem::Error;
use crate::pool::port::{Answer, Identity, PortError, ReportPort, ServerPort};

/// The server of this process, as one agent calls it.
#[derive(Clone)]
pub struct InProcess {
    app: AppState,
    identity: Identity,
}

impl InProcess {
    /// A port for this agent.
    pub(crate) fn new(app: AppState, identity: Identity) -> Self {
        Self { app, identity }
    }
}

impl ReportPort for InProcess {
    fn report<'a>(&'a self, reports: &'a [Report]) -> Answer<'a, Vec<ReportResult>> {
        let Identity { pool, worker, instance } = self.identity.clone();
        Box::pin(async move {
            let request = ReportRequest { worker, instance, reports: reports.to_vec() };
            let response = call::report(&self.app, pool, request).await.map_err(error_of)?;
            Ok(response.results)
        })
    }
}

impl ServerPort for InProcess {
    fn attach(&self, holding: Vec<LeaseId>) -> Answer<'_, AttachResponse> {
        let Identity { pool, worker, instance } = self.identity.clone();
        let request = AttachRequest { worker, instance, holding };
        Box::pin(async move { call::attach(&self.app, pool, request).await.map_err(error_of) })
    }

    fn pull(
        &self,
        insight: Option<String>,
        count: u32,
        wait: Duration,
        request: String,
    ) -> Answer<'_, PullResponse> {
        let Identity { pool, worker, instance } = self.identity.clone();
        let request = PullRequest { worker, instance, insight, count, wait_ms: millis(wait), request };
        Box::pin(async move { call::pull(&self.app, pool, request).await.map_err(error_of) })
    }

    fn renew(&self, leases: Vec<LeaseId>, wait: Duration) -> Answer<'_, RenewResponse> {
        let Identity { pool, worker, instance } = self.identity.clone();
        let request = RenewRequest { worker, instance, leases, wait_ms: millis(wait) };
        Box::pin(async move { call::renew(&self.app, pool, request).await.map_err(error_of) })
    }

    fn release(&self, leases: Vec<LeaseId>, leaving: bool) -> Answer<'_, ReleaseResponse> {
        let Identity { pool, worker, instance } = self.identity.clone();
        let request = ReleaseRequest { worker, instance, leases, leaving };
        Box::pin(async move { call::release(&self.app, pool, request).await.map_err(error_of) })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn error_of(error: Error) -> PortError {
    let problem = error.into_problem();
    PortError::of(problem.status, &problem.kind, problem.detail.unwrap_or(problem.title))
}
