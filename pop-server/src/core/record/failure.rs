//! Failures, as the store keeps them.

use super::FailureClass;

/// The reason why an operation or an agenda failed, with the evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The party that should act.
    pub class: FailureClass,
    /// Name of the case, such as `ExitCode`.
    pub code: String,
    /// Text for people: the failed thing and the remedy.
    pub message: String,
    /// For a failed agenda, the operation that failed first.
    pub operation: Option<String>,
    /// The program's exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended the program.
    pub signal: Option<i32>,
    /// The last lines of the program's log.
    pub log_tail: Box<[String]>,
    /// The mismatch of an output with its declared type.
    pub mismatch: Option<Box<Mismatch>>,
}

/// A value that does not match its declared type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Place in the output; empty for the whole output.
    pub field: String,
    /// The declared type.
    pub expected: String,
    /// The value at that place as shortened JSON.
    pub found: String,
}
