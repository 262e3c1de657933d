//! Errors as RFC 9457 problem documents, with one table of kinds and statuses.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use pop_sdk::api::{Problem, Stale};
use serde_json::Value;

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    MalformedBody,
    InvalidBody,
    InvalidQuery,
    InvalidAgenda,
    InvalidRequest,
    Unauthorized,
    Forbidden,
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
    Gone,
    Superseded,
    BodyTooLarge,
    Timeout,
    Misdirected,
    UnsupportedMediaType,
    Internal,
    Unavailable,
}

impl Kind {
    pub(crate) fn status(self) -> StatusCode {
        self.entry().1
    }

    /// The table: name, status, title.
    fn entry(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedBody => ("malformed-body", S::BAD_REQUEST, "Invalid JSON in the body"),
            Self::InvalidBody => ("invalid-body", S::UNPROCESSABLE_ENTITY, "Invalid body"),
            Self::InvalidQuery => ("invalid-query", S::BAD_REQUEST, "Invalid path or query"),
            Self::InvalidAgenda => ("invalid-agenda", S::UNPROCESSABLE_ENTITY, "Invalid agenda"),
            Self::InvalidRequest => ("invalid-request", S::UNPROCESSABLE_ENTITY, "Invalid request"),
            Self::Unauthorized => ("unauthorized", S::UNAUTHORIZED, "Invalid or expired token"),
            Self::Forbidden => ("forbidden", S::FORBIDDEN, "Permission denied"),
            Self::NotFound => ("not-found", S::NOT_FOUND, "Not found"),
            Self::UnknownCustomer => ("unknown-customer", S::NOT_FOUND, "The customer does not exist"),
            Self::UnknownPool => ("unknown-pool", S::NOT_FOUND, "The pool does not exist"),
            Self::UnknownInsight => ("unknown-insight", S::NOT_FOUND, "The insight does not exist"),
            Self::NoInsight => ("no-insight", S::NOT_FOUND, "No insight matches the agenda"),
            Self::MethodNotAllowed => ("method-not-allowed", S::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::KeyReused => ("idempotency-key-reused", S::CONFLICT, "Idempotency key already used"),
            Self::StaleClient => {
                ("stale-client", S::CONFLICT, "Client generated from another version of the workflow")
            }
            Self::NotEnded => ("not-ended", S::CONFLICT, "The agenda has not ended"),
            Self::NothingToRun => ("nothing-to-run", S::CONFLICT, "Nothing to rerun"),
            Self::InvalidTemplate => ("invalid-template", S::UNPROCESSABLE_ENTITY, "Invalid template"),
            Self::Gone => ("gone", S::GONE, "No longer needed"),
            Self::InUse => ("in-use", S::CONFLICT, "Resource in use"),
            Self::Superseded => ("superseded", S::CONFLICT, "Superseded by a later start of the agent"),
            Self::BodyTooLarge => ("body-too-large", S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::Timeout => ("request-timeout", S::REQUEST_TIMEOUT, "The request took too long"),
            Self::Misdirected => ("misdirected-request", S::MISDIRECTED_REQUEST, "Request for another host"),
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", S::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type")
            }
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "Internal server error"),
            Self::Unavailable => ("unavailable", S::SERVICE_UNAVAILABLE, "Service unavailable"),
        }
    }
}

/// An error of a request.
#[derive(Debug)]
pub(crate) struct Error {
    kind: Kind,
    detail: String,
    diagnostics: Vec<Value>,
    stale: Option<Box<Stale>>,
}

impl Error {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), diagnostics: Vec::new(), stale: None }
    }

    /// Adds the compiler's findings as JSON.
    pub(crate) fn with_diagnostics(self, diagnostics: Vec<Value>) -> Self {
        Self { diagnostics, ..self }
    }

    /// Adds the digest and the differences for a stale client.
    pub(crate) fn with_stale(self, stale: Stale) -> Self {
        Self { stale: Some(Box::new(stale)), ..self }
    }

    /// Whether the same request may succeed under another version of its workflow.
    pub(crate) fn may_be_of_another_version(&self) -> bool {
        matches!(self.kind, Kind::StaleClient | Kind::KeyReused)
    }

    /// Whether another agenda has the request's idempotency key.
    pub(crate) fn is_reused_key(&self) -> bool {
        matches!(self.kind, Kind::KeyReused)
    }

    /// Rewrites the detail, to name the part of the request.
    pub(crate) fn within(self, part: impl FnOnce(String) -> String) -> Self {
        Self { detail: part(self.detail), ..self }
    }

    /// The same detail under another kind of problem.
    pub(crate) fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    /// The caller's role does not have the permission of the route.
    pub(crate) fn forbidden(route: &str, permission: &str) -> Self {
        Self::new(
            Kind::Forbidden,
            format!("`{route}` needs the permission `{permission}`; ask an administrator for the permission"),
        )
    }

    pub(crate) fn method_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(Kind::MethodNotAllowed, detail)
    }

    /// An error of the server itself; the log has the details.
    pub(crate) fn internal() -> Self {
        Self::new(Kind::Internal, "the server failed on this request; its log has the details")
    }
}

impl Error {
    /// The problem document.
    pub(crate) fn into_problem(self) -> Problem {
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
