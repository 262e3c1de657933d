//! The running attempts by the tokens of their programs. [`super::http`] handles HTTP; the runtime handles the reports
//! through an [`Inbox`].

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::IgnoredAny;

use super::{FailureFile, Progress, SHORT};
use crate::env::Env;

/// The kinds of a program's reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportKind {
    /// The program's progress.
    Progress,
    /// The operation's output.
    Output,
    /// The program's failure.
    Failure,
}

/// Reasons for a refused report.
#[derive(Debug)]
pub(crate) enum ReportError {
    /// No running attempt has this token.
    Unauthorized,
    /// The report does not have the format of its kind.
    Invalid(String),
    /// The report could not be stored.
    Io(io::Error),
}

/// Receives the reports of one attempt.
pub(crate) trait Inbox: Send + Sync + std::fmt::Debug + 'static {
    /// Stores a checked report. May block.
    fn take(&self, kind: ReportKind, text: &[u8]) -> io::Result<()>;
}

/// The running attempts by their tokens.
#[derive(Debug)]
pub(crate) struct Registry {
    attempts: Mutex<HashMap<String, Arc<Attempt>>>,
    output_limit: u64,
    env: Env,
}

/// None after the end of the attempt.
#[derive(Debug)]
struct Attempt(Mutex<Option<Arc<dyn Inbox>>>);

impl Registry {
    /// An empty registry. `output_limit` is the largest output in bytes; tokens come from `env`.
    pub(crate) fn new(output_limit: u64, env: Env) -> Self {
        Self { attempts: Mutex::default(), output_limit, env }
    }

    /// Largest size of a report, in bytes.
    pub(crate) fn limit(&self, kind: ReportKind) -> usize {
        let limit = if kind == ReportKind::Output { self.output_limit } else { SHORT };
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Whether a running attempt has this token.
    pub(crate) fn knows(&self, token: &str) -> bool {
        lock(&self.attempts).contains_key(token)
    }

    /// Checks and stores a report. Blocks.
    ///
    /// # Errors
    /// No running attempt has this token, or the report violates the contract.
    pub(crate) fn report(&self, token: &str, kind: ReportKind, text: &[u8]) -> Result<(), ReportError> {
        let attempt = lock(&self.attempts).get(token).cloned().ok_or(ReportError::Unauthorized)?;
        check(kind, text).map_err(ReportError::Invalid)?;
        // The lock is held during the storing, so the end of the attempt waits for the report.
        let inbox = lock(&attempt.0);
        let inbox = inbox.as_ref().ok_or(ReportError::Unauthorized)?;
        inbox.take(kind, text).map_err(ReportError::Io)
    }

    /// Lets one attempt report while the entry lives.
    pub(crate) fn enter(self: &Arc<Self>, inbox: Arc<dyn Inbox>) -> Entry {
        let attempt = Arc::new(Attempt(Mutex::new(Some(inbox))));
        let token = self.env.token();
        lock(&self.attempts).insert(token.clone(), Arc::clone(&attempt));
        Entry { registry: Arc::clone(self), token, attempt }
    }
}

fn check(kind: ReportKind, text: &[u8]) -> Result<(), String> {
    match kind {
        ReportKind::Output => {
            serde_json::from_slice::<IgnoredAny>(text).map(drop).map_err(|e| format!("invalid JSON: {e}"))
        }
        ReportKind::Progress => {
            std::str::from_utf8(text).ok().and_then(Progress::parse).map(drop).ok_or_else(|| {
                "invalid progress. Send a number, or an object with `percent` and `message`".to_owned()
            })
        }
        ReportKind::Failure => serde_json::from_slice::<FailureFile>(text)
            .map(drop)
            .map_err(|e| format!("invalid failure: {e}. Send an object with `message`, `code` and `class`")),
    }
}

/// One attempt's permission to report.
#[derive(Debug)]
pub(crate) struct Entry {
    registry: Arc<Registry>,
    /// The value of `POP_TOKEN`.
    pub(crate) token: String,
    attempt: Arc<Attempt>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.registry.attempts).remove(&self.token);
        // Waits for a report that is being stored.
        lock(&self.attempt.0).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
