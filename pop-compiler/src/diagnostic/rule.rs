//! The definition of a rule. The rules are in `rules`, and beside the parsers that report them.

use super::{Diagnostic, Location, Severity};

/// A kind of finding.
#[derive(Debug)]
pub struct Rule {
    /// Name in kebab-case.
    pub id: &'static str,
    /// Severity of its findings.
    pub severity: Severity,
    /// Its findings in a few words, in lower case.
    pub summary: &'static str,
    /// Reason and remedy, for `popc explain`.
    pub explanation: &'static str,
    /// A workflow (TOML) with a finding of this rule and no other finding.
    pub bad: &'static str,
    /// The same workflow without the fault.
    pub good: &'static str,
    /// Whether a finding says that something is absent. The compiler holds such findings back while the file has syntax
    /// errors.
    pub(crate) absence: bool,
    /// Whether a comment may allow the findings: warnings, and errors that leave something to compile.
    pub(crate) allowable: bool,
}

impl Rule {
    /// A finding of this rule.
    pub(crate) fn at(&self, at: impl Into<Location>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.id, self.severity, at, message)
    }
}
