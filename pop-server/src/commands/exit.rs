//! Exit codes, one table.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Success,
    /// The file or its inputs have findings.
    Findings,
    /// Wrong usage, or a file or a server can't be reached.
    Usage,
    /// The workflow failed.
    Failed,
    /// The workflow was cancelled.
    Cancelled,
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
            Self::Crashed => 70,
        }
    }
}
