//! What can go wrong between a client and a server.

use std::{error, fmt};

use crate::api::{Failure, Problem};

/// Why a call failed.
#[derive(Debug)]
pub enum Error {
    /// The address can't be used.
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server does not answer, or the connection broke.
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The server keeps the connection open, but sends no data.
    Silent {
        /// The address.
        url: String,
        /// Length of the silence, in seconds.
        seconds: u64,
    },
    /// The server refused the request.
    Problem(Box<Problem>),
    /// The inputs do not match the workflow; nothing was sent.
    Findings(Box<crate::findings::Findings>),
    /// The client can't read the server's answer: their versions differ.
    Answer {
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { url, reason } => {
                write!(f, "invalid server address `{url}`: {reason}")
            }
            Self::Unreachable { url, .. } => {
                write!(
                    f,
                    "could not reach the POP server at {url}. Check the address, or start a server with `pop dev`"
                )
            }
            Self::Silent { url, seconds } => {
                write!(f, "no data from the POP server at {url} for {seconds} s")
            }
            Self::Problem(problem) => f.write_str(&describe(problem)),
            Self::Findings(findings) => write!(f, "invalid inputs for the workflow:\n{findings}"),
            Self::Answer { reason } => write!(
                f,
                "could not read the server's answer ({reason}). Check that client and server have the same version"
            ),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unreachable { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why a run gave no result.
#[derive(Debug)]
pub enum RunError {
    /// An operation failed.
    Failed(Box<Failure>),
    /// The agenda was cancelled.
    Cancelled,
    /// The agenda succeeded, but the operation of this output was skipped.
    OutputMissing(String),
    /// The agenda succeeded, but its outputs do not match the type.
    Outputs(serde_json::Error),
    /// The call to the server failed.
    Client(Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => f.write_str(&failed(failure)),
            Self::Cancelled => f.write_str("the agenda was cancelled"),
            Self::OutputMissing(name) => write!(
                f,
                "output `{name}` is missing: its operation was skipped. Declare the type of the output as an `Option`"
            ),
            Self::Outputs(error) => write!(f, "the outputs do not match the expected type: {error}"),
            Self::Client(error) => error.fmt(f),
        }
    }
}

impl error::Error for RunError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Outputs(error) => Some(error),
            Self::Client(error) => error.source(),
            _ => None,
        }
    }
}

impl From<Error> for RunError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

fn describe(problem: &Problem) -> String {
    let mut text = problem.title.clone();
    if let Some(detail) = &problem.detail {
        text = format!("{text}: {detail}");
    }
    for change in problem.stale.iter().flat_map(|stale| &stale.changes) {
        text += &format!("\n  {} {}: {}", change.verdict, change.at, change.message);
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
