//! Output of findings: for people (`text`), for programs (`json`), for code scanning (`sarif`) and for GitHub Actions
//! (`github`). These modules check nothing.

pub mod github;
pub mod json;
pub mod sarif;
pub mod text;

use crate::diagnostic::Diagnostic;

/// Number of errors and warnings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Findings that stop a build.
    pub errors: usize,
    /// Findings that do not stop a build.
    pub warnings: usize,
}

impl Summary {
    /// Counts the findings, including those that other findings only count.
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        diagnostics
            .iter()
            .map(Diagnostic::counts)
            .fold(Self::default(), |sum, [_, warnings, errors]| sum.plus(Self { errors, warnings }))
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { errors: self.errors + other.errors, warnings: self.warnings + other.warnings }
    }
}

impl std::fmt::Display for Summary {
    /// `2 errors, 1 warning`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        match (self.errors, self.warnings) {
            (0, 0) => f.write_str("no findings"),
            (e, 0) => f.write_str(&counted(e, "error")),
            (0, w) => f.write_str(&counted(w, "warning")),
            (e, w) => write!(f, "{}, {}", counted(e, "error"), counted(w, "warning")),
        }
    }
}
