//! The compiler's findings as an error.

use std::fmt;

use pop_compiler::diagnostic::Diagnostic;
use pop_compiler::render::text::{Colour, findings};
use pop_compiler::source::Sources;

/// The compiler's findings, as it prints them.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The findings themselves.
    pub diagnostics: Vec<Diagnostic>,
    text: String,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl std::error::Error for Findings {}

impl Findings {
    pub(crate) fn new(diagnostics: Vec<Diagnostic>, sources: &Sources) -> Self {
        let text = findings(&diagnostics, sources, Colour::Never);
        Self { diagnostics, text }
    }

    /// Findings without a text that they are about.
    pub(crate) fn about_nothing(diagnostics: Vec<Diagnostic>) -> Self {
        Self::new(diagnostics, &Sources::new())
    }
}
