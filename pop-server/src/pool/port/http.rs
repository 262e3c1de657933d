//! A server over HTTP. After a call without an answer, the next call uses new connections, because the network may have
//! dropped the old ones silently.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pop_sdk::api::{
    AttachRequest, AttachResponse, LeaseId, PullRequest, PullResponse, ReleaseRequest, ReleaseResponse,
    RenewRequest, RenewResponse, Report, ReportRequest, ReportResult,
};
use pop_sdk::client::{Client, Error};

use super::{Answer, Identity, PortError, ReportPort, ServerPort};

/// Number of characters that are kept of a refusal's text.
const LONGEST_REASON: usize = 2000;

/// The port of a server over HTTP.
#[derive(Debug)]
pub struct HttpPort {
    client: Mutex<Client>,
    identity: Identity,
}

impl HttpPort {
    /// Creates a port for this agent. Ports of different async runtimes must not share a client's connections, so each
    /// port gets a client of its own.
    ///
    /// # Errors
    /// The address is invalid.
    pub fn new(url: &str, identity: Identity) -> Result<Self, Error> {
        Ok(Self { client: Mutex::new(Client::connect(url)?), identity })
    }

    fn client(&self) -> Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Converts the result of a call. A call without an answer drops the connections.
    fn answer<T>(&self, result: Result<T, Error>) -> Result<T, PortError> {
        let error = match result {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let of = error_of(&error);
        if matches!(of, PortError::Unreachable(_)) {
            self.renew_connections();
        }
        Err(of)
    }

    fn renew_connections(&self) {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(fresh) = Client::connect(client.address()) {
            *client = fresh;
        }
    }
}

/// Replaces the client when a call is dropped before its answer. Such a call has met its time limit, so its connection
/// may be dead.
struct Unanswered<'p>(Option<&'p HttpPort>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(port) = self.0 {
            port.renew_connections();
        }
    }
}

macro_rules! call {
    ($port:ident, $verb:ident, $request:expr) => {
        Box::pin(async move {
            let mut unanswered = Unanswered(Some($port));
            let result = $port.client().$verb(&$port.identity.pool, &$request).await;
            unanswered.0 = None;
            $port.answer(result)
        })
    };
}

impl ReportPort for HttpPort {
    fn report<'a>(&'a self, reports: &'a [Report]) -> Answer<'a, Vec<ReportResult>> {
        let Identity { worker, instance, .. } = self.identity.clone();
        let request = ReportRequest { worker, instance, reports: reports.to_vec() };
        Box::pin(async move {
            let response: Result<_, PortError> = call!(self, report, request).await;
            response.map(|response| response.results)
        })
    }
}

impl ServerPort for HttpPort {
    fn attach(&self, holding: Vec<LeaseId>) -> Answer<'_, AttachResponse> {
        let Identity { worker, instance, .. } = self.identity.clone();
        let request = AttachRequest { worker, instance, holding };
        call!(self, attach_agent, request)
    }

    fn pull(
        &self,
        insight: Option<String>,
        count: u32,
        wait: Duration,
        request: String,
    ) -> Answer<'_, PullResponse> {
        let Identity { worker, instance, .. } = self.identity.clone();
        let request = PullRequest { worker, instance, insight, count, wait_ms: millis(wait), request };
        call!(self, pull, request)
    }

    fn renew(&self, leases: Vec<LeaseId>, wait: Duration) -> Answer<'_, RenewResponse> {
        let Identity { worker, instance, .. } = self.identity.clone();
        let request = RenewRequest { worker, instance, leases, wait_ms: millis(wait) };
        call!(self, renew, request)
    }

    fn release(&self, leases: Vec<LeaseId>, leaving: bool) -> Answer<'_, ReleaseResponse> {
        let Identity { worker, instance, .. } = self.identity.clone();
        let request = ReleaseRequest { worker, instance, leases, leaving };
        call!(self, release, request)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn error_of(error: &Error) -> PortError {
    let text: String = error.to_string().chars().take(LONGEST_REASON).collect();
    match error {
        Error::Problem(problem) => PortError::of(problem.status, &problem.kind, text),
        _ => PortError::Unreachable(text),
    }
}

#[cfg(test)]
mod tests {
    use pop_sdk::api::Problem;

    use super::*;

    #[test]
    fn only_the_servers_own_word_is_final() {
        let of = |kind: &str, status| {
            error_of(&Error::Problem(Box::new(Problem::new(kind.into(), String::new(), status))))
        };
        for status in [400, 404, 409, 413, 422] {
            assert!(!of("/problems/x", status).passes(), "{status}");
        }
        for status in [401, 403, 408, 425, 429, 500, 503] {
            assert!(of("/problems/x", status).passes(), "{status}");
        }
        assert!(matches!(of("/problems/superseded", 409), PortError::Superseded(_)));
        assert!(of("", 404).passes(), "a proxy's");
        assert!(!of("", 413).passes(), "a proxy's limit");
    }
}
