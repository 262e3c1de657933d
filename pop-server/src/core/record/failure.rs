//! Why something failed, as it is stored.

use super::FailureClass;

/// Why an operation or an agenda failed, with the evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Who should act.
    pub class: FailureClass,
    /// A name for the case, such as `ExitCode`.
    pub code: String,
    /// What failed and what to do, for people.
    pub message: String,
    /// The operation that failed first, for a failed agenda.
    pub operation: Option<String>,
    /// The program's exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended the program.
    pub signal: Option<i32>,
    /// The last lines of its log.
    pub log_tail: Box<[String]>,
    /// What is wrong with an output that its type does not allow.
    pub mismatch: Option<Box<Mismatch>>,
}

/// A value that is not of its declared type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the output; empty for the output as a whole.
    pub field: String,
    /// The declared type.
    pub expected: String,
    /// The value at that place as JSON, shortened.
    pub found: String,
}
