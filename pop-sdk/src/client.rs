//! The HTTP client: submit work, watch it, wait for a typed result; and the calls that a pool agent makes.
//!
//! ```no_run
//! # use pop_sdk::{operation, workflow};
//! # #[operation("text.count", output = Counted)]
//! # #[derive(schemars::JsonSchema)]
//! # pub struct Count { file: String }
//! # #[derive(schemars::JsonSchema)]
//! # pub struct Counted { words: u64 }
//! # workflow! { pub count(file: String) -> u64 { let count = Count { file }; count.words } }
//! use futures_util::StreamExt as _;
//! use pop_sdk::client::RunError;
//!
//! # async fn submit() -> Result<(), pop_sdk::client::Error> {
//! let client = count::Client::connect("http://127.0.0.1:7070")?;
//! let run = client.submit(count::Inputs { file: "README.md".into() }).await?;
//! println!("submitted {}", run.id());
//!
//! let mut events = std::pin::pin!(run.watch()); // goes on by itself after a broken connection
//! while let Some(event) = events.next().await {
//!     println!("{:3.0} %", event?.percent);
//! }
//! match run.wait().await {
//!     Ok(words) => println!("{words} words"),
//!     Err(RunError::Failed(failure)) => println!("{:?}: {}", failure.operation, failure.message),
//!     Err(other) => println!("{other}"),
//! }
//! # Ok(())
//! # }
//! # fn main() {}
//! ```

mod error;
pub(crate) mod outputs;
mod run;
pub mod typed;

use std::net::IpAddr;
use std::time::Duration;

use pop_compiler::agenda::Agenda;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::{
    AgendaTemplate, AgendaView, AttachRequest, AttachResponse, LogChunk, Page, Problem, PullRequest,
    PullResponse, ReleaseRequest, ReleaseResponse, RenewRequest, RenewResponse, ReportRequest,
    ReportResponse, Rerun, RerunRequest, RerunResponse, SubmitRequest, TemplateView,
};

pub use self::error::{Error, RunError};
pub use self::run::Run;

/// How long a call may take, unless it waits for something on purpose.
const CALL: Duration = Duration::from_secs(30);
/// Tries of a submission whose connection fails.
const SUBMIT_TRIES: u32 = 4;
/// Pause after the first of them; each further pause is longer by as much.
const SUBMIT_PAUSE: Duration = Duration::from_millis(100);

/// A connection to a POP server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
}

/// Filter and page of [`Client::list`]. A field without a value does not filter.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListQuery {
    /// Customer that owns the agendas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// State of the agendas, such as `running`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Link of the agendas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Longest page, in agendas; the server chooses one by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Client {
    /// A client of the server at `url`, such as `http://127.0.0.1:7070`. Nothing is sent yet.
    ///
    /// # Errors
    /// Invalid `url`: it does not start with `http://` or `https://`.
    pub fn connect(url: &str) -> Result<Self, Error> {
        let bad = |reason: String| Error::Address { url: url.to_owned(), reason };
        let mut base = Url::parse(url).map_err(|e| bad(e.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(bad("the address must start with http:// or https://".into()));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        // Another part of the program may have chosen a provider already; that one is fine too.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let builder = || {
            let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10));
            // A proxy is another machine; what it calls loopback is not meant.
            if is_loopback(&base) { http.no_proxy() } else { http }
        };
        let http = match builder().build() {
            // A container image often has no certificate authorities. HTTP without TLS needs none.
            Err(_) if base.scheme() == "http" => builder().tls_certs_only([]).build(),
            built => built,
        };
        let http = http.map_err(|e| bad(root_cause(&e)))?;
        Ok(Self { base, http })
    }

    /// The server's address.
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// Submits work. A request without an idempotency key gets a random one: a retry after a broken connection then creates
    /// no second agenda.
    ///
    /// # Errors
    /// The server refuses the work ([`Error::Problem`] with the compiler's findings), or can't be reached.
    pub async fn submit(&self, mut request: SubmitRequest) -> Result<Run, Error> {
        request.idempotency_key.get_or_insert_with(random_key);
        let mut tries = 0;
        loop {
            tries += 1;
            let request = self.request(Method::POST, &["v1", "agendas"])?.timeout(CALL).json(&request);
            match self.json(request).await {
                Ok(view) => return Ok(Run::new(self.clone(), view)),
                Err(Error::Unreachable { .. }) if tries < SUBMIT_TRIES => {
                    tokio::time::sleep(SUBMIT_PAUSE * tries).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Submits a ready agenda.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub async fn submit_agenda(&self, agenda: Agenda) -> Result<Run, Error> {
        self.submit(SubmitRequest { agenda: Some(agenda), ..SubmitRequest::default() }).await
    }

    /// Attaches to an agenda that was submitted earlier, perhaps by another program.
    ///
    /// # Errors
    /// No agenda has that id, or the server can't be reached.
    pub async fn attach(&self, id: &str) -> Result<Run, Error> {
        Ok(Run::new(self.clone(), self.get(id).await?))
    }

    /// The agenda as it is now, with its operations.
    ///
    /// # Errors
    /// No agenda has that id, or the server can't be reached.
    pub async fn get(&self, id: &str) -> Result<AgendaView, Error> {
        self.json(self.request(Method::GET, &["v1", "agendas", id])?.timeout(CALL)).await
    }

    /// One page of agendas, newest first.
    ///
    /// # Errors
    /// The server refuses the query, or can't be reached.
    pub async fn list(&self, query: &ListQuery) -> Result<Page<AgendaView>, Error> {
        let ListQuery { customer, state, link, limit, after } = query;
        let limit = limit.map(|limit| limit.to_string());
        let pairs =
            [("customer", customer), ("state", state), ("link", link), ("limit", &limit), ("after", after)];
        let pairs = pairs.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?)));
        self.json(self.request_for(Method::GET, &["v1", "agendas"], pairs)?.timeout(CALL)).await
    }

    /// Requests the cancellation of an agenda. Running operations may take a moment to stop.
    ///
    /// # Errors
    /// No agenda has that id, or the server can't be reached.
    pub async fn cancel(&self, id: &str) -> Result<AgendaView, Error> {
        self.json(self.request(Method::POST, &["v1", "agendas", id, "cancel"])?.timeout(CALL)).await
    }

    /// Reruns an ended agenda, or a part of it.
    ///
    /// # Errors
    /// No agenda has that id, the agenda has not ended, no operation would rerun, or the server can't be reached.
    pub async fn rerun(&self, id: &str, what: Rerun) -> Result<RerunResponse, Error> {
        let request = RerunRequest::from(what);
        self.json(self.request(Method::POST, &["v1", "agendas", id, "rerun"])?.timeout(CALL).json(&request))
            .await
    }

    /// One page of an agenda's log, oldest first.
    ///
    /// # Errors
    /// No agenda has that id, or the server can't be reached.
    pub async fn logs(
        &self,
        id: &str,
        operation: Option<&str>,
        after: Option<&str>,
    ) -> Result<Page<LogChunk>, Error> {
        let pairs = operation.map(|o| ("operation", o)).into_iter().chain(after.map(|a| ("after", a)));
        self.json(self.request_for(Method::GET, &["v1", "agendas", id, "logs"], pairs)?.timeout(CALL)).await
    }

    /// Announces the start of a pool agent.
    ///
    /// # Errors
    /// No pool has that id, or the server can't be reached.
    pub async fn attach_agent(&self, pool: &str, request: &AttachRequest) -> Result<AttachResponse, Error> {
        self.pool_call(pool, "attach", request, CALL).await
    }

    /// Pulls agendas for a pool agent. Waits up to `wait_ms` for one.
    ///
    /// # Errors
    /// No pool has that id, or the server can't be reached.
    pub async fn pull(&self, pool: &str, request: &PullRequest) -> Result<PullResponse, Error> {
        self.pool_call(pool, "pull", request, CALL + Duration::from_millis(request.wait_ms)).await
    }

    /// Renews the leases of a pool agent.
    ///
    /// # Errors
    /// No pool has that id, or the server can't be reached.
    pub async fn renew(&self, pool: &str, request: &RenewRequest) -> Result<RenewResponse, Error> {
        self.pool_call(pool, "renew", request, CALL + Duration::from_millis(request.wait_ms)).await
    }

    /// Sends reports of a pool agent.
    ///
    /// # Errors
    /// No pool has that id, or the server can't be reached.
    pub async fn report(&self, pool: &str, request: &ReportRequest) -> Result<ReportResponse, Error> {
        self.pool_call(pool, "report", request, CALL).await
    }

    /// Returns leases of a pool agent before their end.
    ///
    /// # Errors
    /// No pool has that id, or the server can't be reached.
    pub async fn release(&self, pool: &str, request: &ReleaseRequest) -> Result<ReleaseResponse, Error> {
        self.pool_call(pool, "release", request, CALL).await
    }

    /// Creates or replaces a customer, a pool, an insight or a template; `kind` is `customers`, `pools`, `insights` or
    /// `templates`.
    ///
    /// # Errors
    /// The server refuses the document, or can't be reached.
    pub async fn put<T: Serialize + Sync>(&self, kind: &str, id: &str, document: &T) -> Result<Value, Error> {
        self.json(self.request(Method::PUT, &["v1", kind, id])?.timeout(CALL).json(document)).await
    }

    /// Saves a template under a name, for one customer or for all.
    ///
    /// # Errors
    /// The template has faults, the customer does not exist, or the server can't be reached.
    pub async fn save_template(
        &self,
        customer: Option<&str>,
        name: &str,
        template: &AgendaTemplate,
    ) -> Result<TemplateView, Error> {
        let query = customer.map(|customer| ("customer", customer));
        let request = self.request_for(Method::PUT, &["v1", "templates", name], query.into_iter())?;
        self.json(request.timeout(CALL).json(template)).await
    }

    async fn pool_call<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        pool: &str,
        verb: &str,
        body: &B,
        limit: Duration,
    ) -> Result<T, Error> {
        self.json(self.request(Method::POST, &["v1", "pools", pool, verb])?.timeout(limit).json(body)).await
    }

    /// A request for a path whose parts are escaped.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Error> {
        self.request_for(method, path, std::iter::empty())
    }

    /// A request for a path and a query whose parts are escaped.
    fn request_for<'q>(
        &self,
        method: Method,
        path: &[&str],
        query: impl Iterator<Item = (&'q str, &'q str)>,
    ) -> Result<RequestBuilder, Error> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Address {
                url: self.base.to_string(),
                reason: "the address cannot have a path".into(),
            })?
            .pop_if_empty()
            .extend(path);
        let mut query = query.peekable();
        if query.peek().is_some() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(self.http.request(method, url))
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = self.send(request).await?;
        let bytes = response.bytes().await.map_err(|e| self.broken(e))?;
        serde_json::from_slice(&bytes).map_err(|e| Error::Answer { reason: e.to_string() })
    }

    /// Sends a request; an answer that is no success becomes an error.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|e| self.broken(e))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let is_problem = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.starts_with("application/problem+json"));
        let bytes = response.bytes().await.unwrap_or_default();
        let problem = is_problem.then(|| serde_json::from_slice::<Problem>(&bytes).ok()).flatten();
        Err(Error::Problem(Box::new(problem.unwrap_or_else(|| Problem {
            title: status.canonical_reason().unwrap_or("error").to_owned(),
            status: status.as_u16(),
            ..Problem::default()
        }))))
    }

    pub(crate) fn silent(&self, waited: Duration) -> Error {
        Error::Silent { url: self.base.to_string(), seconds: waited.as_secs() }
    }

    pub(crate) fn broken(&self, error: reqwest::Error) -> Error {
        Error::Unreachable { url: self.base.to_string(), source: error }
    }
}

/// The deepest cause of an error: the outer texts of HTTP libraries say little.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Whether an address is this machine's own.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// A key that nobody else has: 128 random bits of the operating system.
fn random_key() -> String {
    let mut bits = [0; 16];
    aws_lc_rs::rand::fill(&mut bits).expect("the operating system gives random numbers");
    format!("{:032x}", u128::from_be_bytes(bits))
}
