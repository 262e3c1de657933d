//! What can go wrong between a client and a server.

use crate::api::{Failure, Problem};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can't be used.
    #[error("`{url}` is not the address of a POP server: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers there, or the connection broke.
    #[error("can't reach the POP server at {url}; is it running? `pop dev` starts one")]
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The server refused, and says why.
    #[error("{}", describe(.0))]
    Problem(Box<Problem>),
    /// The inputs do not fit the workflow; nothing was sent.
    #[error("the inputs do not fit the workflow:\n{0}")]
    Findings(Box<crate::Findings>),
    /// The server's answer can't be read: it speaks another version.
    #[error("the server's answer can't be read ({reason}); are client and server of the same version?")]
    Answer {
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a run gave no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An operation failed.
    #[error("{}", failed(.0))]
    Failed(Box<Failure>),
    /// Somebody cancelled it.
    #[error("the agenda was cancelled")]
    Cancelled,
    /// It succeeded, but its outputs are not what the type says.
    #[error("the outputs do not fit the expected type: {0}")]
    Outputs(#[source] serde_json::Error),
    /// The server can't be asked.
    #[error(transparent)]
    Client(#[from] Error),
}

fn describe(problem: &Problem) -> String {
    let mut text = problem.title.clone();
    if let Some(detail) = &problem.detail {
        text = format!("{text}: {detail}");
    }
    for finding in &problem.diagnostics {
        let part = |key: &str| finding.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        text += &format!("\n  {}[{}] {}", part("severity"), part("rule"), part("message"));
        let pointer = part("pointer");
        if !pointer.is_empty() {
            text += &format!(" (at {pointer})");
        }
        for help in finding.get("help").and_then(serde_json::Value::as_array).into_iter().flatten() {
            text += &format!("\n    help: {}", help.as_str().unwrap_or_default());
        }
    }
    text
}

fn failed(failure: &Failure) -> String {
    match &failure.operation {
        Some(operation) => format!("operation `{operation}` failed: {}", failure.message),
        None => failure.message.clone(),
    }
}
