//! What a rule is. The rules themselves are in `rules`, and beside the parsers whose findings they are.

use super::{Diagnostic, Location, Severity};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name in kebab-case.
    pub id: &'static str,
    /// How bad its findings are.
    pub severity: Severity,
    /// What it finds, in a few words.
    pub summary: &'static str,
    /// Why that is wrong and what to do, for `popc explain`.
    pub explanation: &'static str,
    /// A workflow (TOML) in which this rule, and no other, finds something.
    pub bad: &'static str,
    /// The same workflow without the fault.
    pub good: &'static str,
    /// Its findings say that something is absent; they are held back when the file has syntax errors.
    pub(crate) absence: bool,
    /// Its findings can be taken back: warnings, and errors that leave something to compile.
    pub(crate) allowable: bool,
}

impl Rule {
    /// A finding of this rule.
    pub(crate) fn at(&self, at: impl Into<Location>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.id, self.severity, at, message)
    }
}
