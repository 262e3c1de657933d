//! What a handler is given besides its input.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

use super::contract::{Job, Reached};
use super::progress::{Progress, Sink};
use crate::HandlerError;

/// The context of an attempt: names, progress, checkpoints and cancellation. Clones share one context, and may go to other
/// tasks and threads.
#[derive(Clone, Debug)]
pub struct Context {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    job: Job,
    progress: Progress,
    last: Option<Reached>,
    stop: watch::Sender<bool>,
    /// The handler has asked whether it should stop: it will do it itself.
    attentive: AtomicBool,
}

impl Context {
    pub(super) fn new(job: Job, sink: Sink, last: Option<Reached>) -> Self {
        let saved = last.as_ref().and_then(|reached| reached.saved.clone());
        let progress = Progress::new(sink, saved);
        let stop = watch::Sender::new(false);
        Self { inner: Arc::new(Inner { job, progress, last, stop, attentive: AtomicBool::new(false) }) }
    }

    /// A context that belongs to no process.
    pub(crate) fn detached(operation: &str, attempt: u32, last: Option<Reached>) -> Self {
        let job = Job { operation: Some(operation.to_owned()), attempt, ..Job::default() };
        Self::new(job, Sink::Nobody, last)
    }

    /// Reports progress: 0 to 100 percent, and the current activity. The call never waits; of many calls in a short time
    /// the last one counts.
    pub fn progress(&self, percent: impl Into<f64>, message: impl Into<String>) {
        let (percent, message) = (percent.into(), message.into());
        self.inner.progress.update(|now| {
            now.percent = if percent.is_finite() { percent.clamp(0.0, 100.0) } else { now.percent };
            now.message = (!message.is_empty()).then_some(message);
        });
    }

    /// Saves a state for the next attempt, such as the work already done or the id of a remote job. A later checkpoint
    /// replaces an earlier one.
    ///
    /// # Errors
    /// JSON cannot represent the state.
    pub fn checkpoint<T: Serialize>(&self, state: &T) -> Result<(), HandlerError> {
        let saved = serde_json::to_value(state)
            .map_err(|e| HandlerError::fatal(e).context("could not serialize the saved state as JSON"))?;
        self.inner.progress.update(|now| now.saved = Some(saved));
        Ok(())
    }

    /// The [checkpoint](Self::checkpoint) of an earlier attempt. None in the first attempt, and for a checkpoint that is not
    /// a `T`; standard error then has a line about the mismatch.
    pub fn last_checkpoint<T: DeserializeOwned>(&self) -> Option<T> {
        let saved = self.inner.last.as_ref()?.saved.as_ref()?;
        match serde_json::from_value(saved.clone()) {
            Ok(state) => Some(state),
            Err(e) => {
                eprintln!("ignoring the saved state of the last attempt: {e}");
                None
            }
        }
    }

    /// The progress of an earlier attempt, in percent.
    pub fn last_percent(&self) -> Option<f64> {
        self.inner.last.as_ref().map(|reached| reached.percent)
    }

    /// Resolves when the operation is to stop: after a cancellation, a timeout, or the stop of the pool. Save a checkpoint
    /// and return: the pool kills the process a few seconds later.
    ///
    /// A handler that never asks ([`is_cancelled`](Self::is_cancelled) counts) is dropped at its next `await` instead.
    pub async fn cancelled(&self) {
        self.inner.attentive.store(true, Ordering::Relaxed);
        // The sender lives as long as this context.
        let _ = self.inner.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// Whether the operation is to stop. See [`cancelled`](Self::cancelled).
    pub fn is_cancelled(&self) -> bool {
        self.inner.attentive.store(true, Ordering::Relaxed);
        *self.inner.stop.borrow()
    }

    /// Ends a handler whose operation is to stop: `ctx.check_cancelled()?;`.
    ///
    /// # Errors
    /// [`HandlerError::cancelled`] when the operation is to stop.
    pub fn check_cancelled(&self) -> Result<(), HandlerError> {
        if self.is_cancelled() { Err(HandlerError::cancelled()) } else { Ok(()) }
    }

    /// The operation's name in its agenda, such as `encode.0`.
    pub fn operation(&self) -> &str {
        self.inner.job.operation.as_deref().unwrap_or("operation")
    }

    /// The attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.inner.job.attempt
    }

    /// The agenda's id. None when the handler was started by hand.
    pub fn agenda(&self) -> Option<&str> {
        self.inner.job.agenda.as_deref()
    }

    /// The operation's own id, if the agenda gives it one.
    pub fn operation_id(&self) -> Option<&str> {
        self.inner.job.operation_id.as_deref()
    }

    /// The customer that owns the agenda.
    pub fn customer(&self) -> Option<&str> {
        self.inner.job.customer.as_deref()
    }

    /// The correlation id for logs and traces.
    pub fn cid(&self) -> Option<&str> {
        self.inner.job.cid.as_deref()
    }

    /// Tells the handler to stop.
    pub(crate) fn stop(&self) {
        self.inner.stop.send_replace(true);
    }

    /// Resolves when the operation is to stop and the handler has never asked.
    pub(super) async fn to_be_dropped(&self) {
        let _ = self.inner.stop.subscribe().wait_for(|stop| *stop).await;
        if self.inner.attentive.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the handler was told to stop.
    pub(super) fn was_stopped(&self) -> bool {
        *self.inner.stop.borrow()
    }

    /// The newest progress.
    pub(crate) fn reached(&self) -> Reached {
        self.inner.progress.reached()
    }

    pub(super) fn flush(&self) {
        self.inner.progress.flush();
    }

    pub(super) async fn keep_flushing(self) {
        self.inner.progress.keep_flushing().await;
    }
}

/// What a pool handed over from an earlier attempt; what can't be read is none.
pub(super) fn read_last(text: Option<String>) -> Option<Reached> {
    let value: Value = serde_json::from_str(text?.trim()).ok()?;
    match value {
        Value::Number(n) => Some(Reached { percent: n.as_f64()?, ..Reached::default() }),
        value => serde_json::from_value(value).ok(),
    }
}
