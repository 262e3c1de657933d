//! Exit codes, in one table.

use pop_sdk::client;

use crate::pool::agent;
use crate::pool::port::PortError;
use crate::serve::ServerError;

/// The result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded.
    Success,
    /// The file or its inputs have findings.
    Findings,
    /// Invalid usage, or an unusable thing on this machine (a file, a port, a folder).
    Usage,
    /// The workflow failed.
    Failed,
    /// The workflow was cancelled.
    Cancelled,
    /// The server has no such thing.
    NotFound,
    /// The server refused the request.
    Refused,
    /// The server can't be reached, or can't answer now.
    Unreachable,
    /// A server or a pool ended by an internal error of POP.
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

    /// The exit code of an error.
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
                Some(agent::Error::Panicked(_)) => return Self::Crashed,
                Some(agent::Error::Thread(_)) | None => {}
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

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use pop_sdk::api::Problem;

    use super::*;

    #[test]
    fn errors_are_told_apart() {
        let code = |error: anyhow::Error| Exit::of(&error).code();
        let problem = |status| {
            let problem = Problem::new(String::new(), String::new(), status);
            anyhow::Error::new(client::Error::Problem(Box::new(problem)))
        };
        let refused = |error| anyhow::Error::new(agent::Error::Refused(error));
        let told = [
            code(anyhow::anyhow!("a file can't be read")),
            code(problem(404)),
            code(problem(409)),
            code(problem(503)),
            code(refused(PortError::Unknown("no such pool".into()))),
            code(refused(PortError::Superseded("another start".into()))),
            code(anyhow::Error::new(agent::Error::Panicked("executor"))),
            code(anyhow::Error::new(ServerError::Writer("it panicked".into()))),
        ];
        assert_eq!(told, [2, 5, 6, 7, 5, 6, 70, 70]);
        let wrapped = Err::<(), _>(problem(404)).context("could not show the agenda");
        assert_eq!(wrapped.map_err(code), Err(5), "however it is wrapped");
    }
}
