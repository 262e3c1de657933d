//! The documents between a shim and its pool. Both come from one release, but a pool may be newer than a running shim:
//! readers ignore unknown fields.

use jiff::Timestamp;
use pop_compiler::agenda::RunSpec;
use pop_sdk::api::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Path of a pod's reports.
pub(crate) const PATH: &str = "/v1/pod";
/// Audience of the tokens with which pods report.
pub(crate) const AUDIENCE: &str = "pop";

/// The attempt of a pod: the answer to `GET /v1/pod/assignment`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Assignment {
    pub(crate) agenda: String,
    pub(crate) epoch: u64,
    pub(crate) customer: Option<String>,
    pub(crate) cid: Option<String>,
    pub(crate) operation: String,
    pub(crate) operation_id: Option<String>,
    pub(crate) kind: String,
    pub(crate) attempt: u32,
    pub(crate) spec: RunSpec,
    pub(crate) payload: Value,
    /// Time between SIGTERM and SIGKILL, in milliseconds.
    pub(crate) grace_ms: u64,
    /// Largest output, in bytes.
    pub(crate) output_limit: u64,
    /// Largest kept log of one stream, in bytes.
    pub(crate) log_limit: u64,
    /// The last progress of an earlier attempt, as the program wrote it.
    pub(crate) last_progress: Option<String>,
}

/// One signal of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Told {
    Waiting { reason: String },
    Started,
    Progress { percent: f64, message: Option<String> },
    Log { stream: String, offset: u64, text: String },
}

/// Consecutive signals: the body of `POST /v1/pod/signals`. A repetition has the same numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// Number of the first signal, from 0.
    pub(crate) first: u64,
    pub(crate) signals: Vec<Told>,
}

/// The end of the attempt: the body of `PUT /v1/pod/outcome`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The output, or the failure.
    pub(crate) result: Result<Value, Failure>,
    /// The last progress of a failed attempt, as the program wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_progress: Option<String>,
    /// When the program ended, by the clock of its node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<Timestamp>,
}

/// The answer to an outcome.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Whether the outcome is durable. If not, the shim sends it again.
    pub(crate) durable: bool,
}
