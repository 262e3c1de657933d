//! The failures that a pool of pods tells of itself, and the shims that wait for an answer.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use pop_sdk::api::{Failure, FailureClass};
use tokio::sync::oneshot;

use super::digest::Digest;
use crate::run::fail;
use crate::runtime::shim::wire::{Outcome, Receipt};

/// Largest outcome in a termination message, unpacked.
const LARGEST: u64 = 4 << 20;

/// The requests with one attempt's outcome that have no answer yet.
#[derive(Debug, Default)]
pub(super) struct Outcomes(Vec<oneshot::Sender<Receipt>>);

impl Outcomes {
    pub(super) fn keep(&mut self, reply: Option<oneshot::Sender<Receipt>>) {
        self.0.retain(|waiting| !waiting.is_closed());
        self.0.extend(reply);
    }

    /// The outcome is durable.
    pub(super) fn confirm(&mut self) {
        for reply in self.0.drain(..) {
            let _ = reply.send(Receipt { durable: true });
        }
    }
}

/// The outcome that a shim left in its termination message.
pub(super) fn unpack(message: &str) -> Option<Outcome> {
    let packed = STANDARD.decode(message.trim()).ok()?;
    let mut text = Vec::new();
    ZlibDecoder::new(packed.as_slice()).take(LARGEST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

pub(super) fn stopped_before() -> Failure {
    fail(FailureClass::User, "Stopped", "stopped before the program started")
}

/// The failure of an attempt that was stopped and whose shim did not say more.
pub(super) fn stopped(digest: &Digest) -> Failure {
    let Some(ended) = digest.ended.as_ref().filter(|_| digest.started.is_some()) else {
        return if digest.started.is_some() {
            fail(FailureClass::User, "Stopped", "the program was stopped")
        } else {
            stopped_before()
        };
    };
    // An exit code over 128 is a signal.
    let signal = (ended.exit_code > 128).then(|| ended.exit_code - 128);
    let exit_code = signal.is_none().then_some(ended.exit_code);
    Failure { signal, exit_code, ..fail(FailureClass::User, "Stopped", "the program was stopped") }
}

pub(super) fn no_namespace(why: &str) -> Failure {
    let text = format!("could not create the pod: {why}. Create the namespace, or give the pool another one.");
    fail(FailureClass::Config, "NamespaceNotFound", text)
}

pub(super) fn no_right(why: &str) -> Failure {
    let text = format!("the pool lacks a right in the cluster: {why}. Add the right to the role of the pool's service account.");
    fail(FailureClass::Config, "RightMissing", text)
}

pub(super) fn refused(why: &str) -> Failure {
    let text = format!("the cluster refused the pod: {why}. Change the operation type, or ask the cluster's operators.");
    fail(FailureClass::Policy, "PodRefused", text)
}

pub(super) fn internal() -> Failure {
    fail(FailureClass::Platform, "Internal", "the attempt's supervision ended. Please report this fault of POP.")
}
