//! The attempts that run, by the tokens that their programs report with. The HTTP itself is in [`super::http`];
//! what becomes of a report is the runtime's matter (an [`Inbox`]).

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::IgnoredAny;

use super::{FailureFile, Progress, SHORT};
use crate::env::Env;

/// What a program reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportKind {
    /// How far it is.
    Progress,
    /// The output.
    Output,
    /// Why it fails.
    Failure,
}

/// Why a report is not taken.
#[derive(Debug)]
pub(crate) enum ReportError {
    /// No attempt that runs has this token.
    Unauthorized,
    /// The report has not the form of its kind.
    Invalid(String),
    /// The report could not be kept.
    Io(io::Error),
}

/// Takes the reports of one attempt in.
pub(crate) trait Inbox: Send + Sync + std::fmt::Debug + 'static {
    /// Keeps a report whose form has been checked. May block.
    fn take(&self, kind: ReportKind, text: &[u8]) -> io::Result<()>;
}

/// The attempts that run here, by their tokens.
#[derive(Debug)]
pub(crate) struct Registry {
    attempts: Mutex<HashMap<String, Arc<Attempt>>>,
    output_limit: u64,
    env: Env,
}

/// None once the attempt has ended.
#[derive(Debug)]
struct Attempt(Mutex<Option<Arc<dyn Inbox>>>);

impl Registry {
    /// No attempts yet. Outputs may have so many bytes; tokens come from `env`.
    pub(crate) fn new(output_limit: u64, env: Env) -> Self {
        Self { attempts: Mutex::default(), output_limit, env }
    }

    /// How long a report may be, in bytes.
    pub(crate) fn limit(&self, kind: ReportKind) -> usize {
        let limit = if kind == ReportKind::Output { self.output_limit } else { SHORT };
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Whether an attempt that runs has this token.
    pub(crate) fn knows(&self, token: &str) -> bool {
        lock(&self.attempts).contains_key(token)
    }

    /// Takes a report in. It blocks.
    ///
    /// # Errors
    /// No attempt that runs has this token, or the report is not what the contract says.
    pub(crate) fn report(&self, token: &str, kind: ReportKind, text: &[u8]) -> Result<(), ReportError> {
        let attempt = lock(&self.attempts).get(token).cloned().ok_or(ReportError::Unauthorized)?;
        check(kind, text).map_err(ReportError::Invalid)?;
        // The lock is held while the report is kept: an attempt that ends meanwhile waits for it.
        let inbox = lock(&attempt.0);
        let inbox = inbox.as_ref().ok_or(ReportError::Unauthorized)?;
        inbox.take(kind, text).map_err(ReportError::Io)
    }

    /// Lets one attempt report, for as long as the entry lives.
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

/// One attempt's right to report.
#[derive(Debug)]
pub(crate) struct Entry {
    registry: Arc<Registry>,
    /// `POP_TOKEN`.
    pub(crate) token: String,
    attempt: Arc<Attempt>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.registry.attempts).remove(&self.token);
        // A report that is being kept at this moment is waited for.
        lock(&self.attempt.0).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
