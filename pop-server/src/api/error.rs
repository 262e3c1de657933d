//! Converts the errors of core, engine and store into problems.

use pop_compiler::diagnostic::Diagnostic;

use super::findings;
use super::intake::Rejection;
use crate::core::command::Refusal;
use crate::engine::EngineError;
use crate::http::problem::{Error, Kind};
use crate::store::StoreError;

impl Error {
    /// A problem with the compiler's findings.
    pub(super) fn findings(kind: Kind, found: &[Diagnostic], names: &[String]) -> Self {
        let count = found.len();
        let first = found.first().map(|d| d.message.clone()).unwrap_or_default();
        let detail = if count == 1 { first } else { format!("{first} (and {} more)", count - 1) };
        Self::new(kind, detail).with_diagnostics(findings::to_json(found, names))
    }

    pub(super) fn no_agenda(id: &str) -> Self {
        Self::not_found(format!("agenda `{id}` does not exist"))
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

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Broken => Self::internal(),
            EngineError::Unavailable | EngineError::Stopped => {
                Self::new(Kind::Unavailable, error.to_string())
            }
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a read failed");
        if matches!(error, StoreError::Corrupt { .. }) {
            // A retry reads the same.
            return Self::internal();
        }
        Self::new(Kind::Unavailable, "could not read from the database; retry")
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
