//! Every error on the wire: RFC 9457 problem documents, one table of kinds and statuses.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use pop_compiler::diagnostic::Diagnostic;
use pop_sdk::api::{Problem, Stale};
use serde_json::Value;

use crate::core::command::Refusal;
use crate::server::WriterError;
use crate::store::StoreError;

use super::findings;
use super::intake::Rejection;

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    MalformedBody,
    InvalidBody,
    InvalidQuery,
    InvalidAgenda,
    InvalidRequest,
    Unauthorized,
    NotFound,
    UnknownCustomer,
    UnknownPool,
    UnknownInsight,
    NoInsight,
    MethodNotAllowed,
    KeyReused,
    StaleClient,
    NotEnded,
    NothingToRun,
    InvalidTemplate,
    InUse,
    Superseded,
    BodyTooLarge,
    Timeout,
    Misdirected,
    UnsupportedMediaType,
    Internal,
    Unavailable,
}

impl Kind {
    /// The table: name, status, title.
    fn entry(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedBody => ("malformed-body", S::BAD_REQUEST, "The body is no JSON"),
            Self::InvalidBody => {
                ("invalid-body", S::UNPROCESSABLE_ENTITY, "The body does not have the expected shape")
            }
            Self::InvalidQuery => {
                ("invalid-query", S::BAD_REQUEST, "The path or the query can't be understood")
            }
            Self::InvalidAgenda => ("invalid-agenda", S::UNPROCESSABLE_ENTITY, "The agenda has faults"),
            Self::InvalidRequest => {
                ("invalid-request", S::UNPROCESSABLE_ENTITY, "The request makes no sense")
            }
            Self::Unauthorized => ("unauthorized", S::UNAUTHORIZED, "The token is not good here"),
            Self::NotFound => ("not-found", S::NOT_FOUND, "Not found"),
            Self::UnknownCustomer => ("unknown-customer", S::NOT_FOUND, "The customer does not exist"),
            Self::UnknownPool => ("unknown-pool", S::NOT_FOUND, "The pool does not exist"),
            Self::UnknownInsight => ("unknown-insight", S::NOT_FOUND, "The insight does not exist"),
            Self::NoInsight => ("no-insight", S::NOT_FOUND, "No insight takes the agenda"),
            Self::MethodNotAllowed => ("method-not-allowed", S::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::KeyReused => {
                ("idempotency-key-reused", S::CONFLICT, "The idempotency key belongs to another agenda")
            }
            Self::StaleClient => {
                ("stale-client", S::CONFLICT, "The client was made for another version of the workflow")
            }
            Self::NotEnded => ("not-ended", S::CONFLICT, "The agenda has not ended"),
            Self::NothingToRun => ("nothing-to-run", S::CONFLICT, "Nothing would run again"),
            Self::InvalidTemplate => ("invalid-template", S::UNPROCESSABLE_ENTITY, "The template has faults"),
            Self::InUse => ("in-use", S::CONFLICT, "It is in use"),
            Self::Superseded => ("superseded", S::CONFLICT, "Another start of the agent has taken over"),
            Self::BodyTooLarge => ("body-too-large", S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::Timeout => ("request-timeout", S::REQUEST_TIMEOUT, "The request took too long"),
            Self::Misdirected => {
                ("misdirected-request", S::MISDIRECTED_REQUEST, "The request is for another machine")
            }
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", S::UNSUPPORTED_MEDIA_TYPE, "The body must be JSON")
            }
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "The server made a mistake"),
            Self::Unavailable => ("unavailable", S::SERVICE_UNAVAILABLE, "The server can't do this now"),
        }
    }
}

/// An error on its way out.
#[derive(Debug)]
pub(super) struct Error {
    kind: Kind,
    detail: String,
    diagnostics: Vec<Value>,
    stale: Option<Box<Stale>>,
}

impl Error {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), diagnostics: Vec::new(), stale: None }
    }

    /// The compiler's findings.
    pub(super) fn findings(kind: Kind, found: &[Diagnostic], names: &[String]) -> Self {
        let count = found.len();
        let first = found.first().map(|d| d.message.clone()).unwrap_or_default();
        let detail = if count == 1 { first } else { format!("{first} (and {} more)", count - 1) };
        Self { diagnostics: findings::to_json(found, names), ..Self::new(kind, detail) }
    }

    /// The client was made for another version of the workflow.
    /// Whether the same request may be good for another version of its workflow.
    pub(super) fn may_be_of_another_version(&self) -> bool {
        matches!(self.kind, Kind::StaleClient | Kind::KeyReused)
    }

    /// Whether the request's key was used for something else.
    pub(super) fn is_reused_key(&self) -> bool {
        matches!(self.kind, Kind::KeyReused)
    }

    pub(super) fn stale(refusal: &Refusal, stale: Stale) -> Self {
        Self { stale: Some(Box::new(stale)), ..Self::new(Kind::StaleClient, refusal.to_string()) }
    }

    /// The same, said of this part of the request.
    pub(super) fn within(self, part: impl FnOnce(String) -> String) -> Self {
        Self { detail: part(self.detail), ..self }
    }

    /// The same as another kind of problem.
    pub(super) fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    pub(super) fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(Kind::MethodNotAllowed, detail)
    }

    /// A fault of the server's own; what it was is in the log.
    pub(super) fn internal() -> Self {
        Self::new(Kind::Internal, "the server's log says more")
    }

    pub(super) fn misdirected(host: &str) -> Self {
        Self::new(
            Kind::Misdirected,
            format!(
                "host {host:?} is not this machine: the server listens on a loopback address. \
                 Use localhost, 127.0.0.1 or [::1]"
            ),
        )
    }

    pub(super) fn no_agenda(id: &str) -> Self {
        Self::not_found(format!("there is no agenda `{id}`"))
    }
}

impl Error {
    /// As a problem document.
    pub(super) fn into_problem(self) -> Problem {
        let (name, status, title) = self.kind.entry();
        let mut problem = Problem::new(format!("/problems/{name}"), title.to_owned(), status.as_u16());
        problem.detail = Some(self.detail);
        problem.diagnostics = self.diagnostics;
        problem.stale = self.stale;
        problem
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (kind, status) = (self.kind, self.kind.entry().1);
        let problem = self.into_problem();
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if kind == Kind::Unavailable {
            response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match &refusal {
            Refusal::UnknownCustomer(_) => Kind::UnknownCustomer,
            Refusal::UnknownPool(_) => Kind::UnknownPool,
            Refusal::UnknownInsight(_) => Kind::UnknownInsight,
            Refusal::NotFound(_) => Kind::NotFound,
            Refusal::NoInsight { .. } => Kind::NoInsight,
            Refusal::Stale { .. } => Kind::StaleClient,
            Refusal::NotEnded(_) => Kind::NotEnded,
            Refusal::NothingToRun(_) => Kind::NothingToRun,
            Refusal::Invalid(_) => Kind::InvalidRequest,
            Refusal::InUse(_) => Kind::InUse,
            Refusal::Superseded(_) => Kind::Superseded,
        };
        Self::new(kind, refusal.to_string())
    }
}

impl From<WriterError> for Error {
    fn from(error: WriterError) -> Self {
        match error {
            WriterError::Refused(refusal) => refusal.into(),
            WriterError::Broken => Self::internal(),
            WriterError::Unavailable | WriterError::Stopped => {
                Self::new(Kind::Unavailable, error.to_string())
            }
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a read failed");
        Self::new(Kind::Unavailable, "the database can't be read at the moment; try again")
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Request(text) => Self::new(Kind::InvalidRequest, text),
            Rejection::Findings(found, names) => Self::findings(Kind::InvalidAgenda, &found, &names),
        }
    }
}
