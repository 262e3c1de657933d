//! Exit codes, one table.

use pop_sdk::client;

use crate::pool::agent;
use crate::pool::port::PortError;
use crate::server::ServerError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Success,
    /// The file or its inputs have findings.
    Findings,
    /// Wrong usage, or something on this machine (a file, a port, a folder) can't be used.
    Usage,
    /// The workflow failed.
    Failed,
    /// The workflow was cancelled.
    Cancelled,
    /// The server has nothing of that name.
    NotFound,
    /// The server refuses what was asked for.
    Refused,
    /// The server can't be reached, or can't answer at the moment.
    Unreachable,
    /// A server could not go on, by a fault of its own.
    Crashed,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Cancelled => 4,
            Self::NotFound => 5,
            Self::Refused => 6,
            Self::Unreachable => 7,
            Self::Crashed => 70,
        }
    }

    /// What an error means.
    pub fn of(error: &anyhow::Error) -> Self {
        for cause in error.chain() {
            if let Some(error) = cause.downcast_ref::<client::Error>() {
                return Self::of_call(error);
            }
            if let Some(ServerError::Writer(_)) = cause.downcast_ref() {
                return Self::Crashed;
            }
            match cause.downcast_ref::<agent::Error>() {
                Some(agent::Error::Refused(PortError::Unknown(_))) => return Self::NotFound,
                Some(agent::Error::Refused(error)) if error.passes() => return Self::Unreachable,
                Some(agent::Error::Refused(_)) => return Self::Refused,
                Some(agent::Error::Panicked(_) | agent::Error::Thread(_)) | None => {}
            }
        }
        Self::Usage
    }

    fn of_call(error: &client::Error) -> Self {
        match error {
            client::Error::Problem(problem) if problem.status == 404 => Self::NotFound,
            client::Error::Problem(problem) if problem.status < 500 => Self::Refused,
            client::Error::Findings(_) => Self::Findings,
            client::Error::Address { .. } => Self::Usage,
            _ => Self::Unreachable,
        }
    }
}
