//! Findings as data. How they print is the business of `render/`.

use crate::source::Span;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never fails a build.
    Info,
    /// Probably a mistake; fails a build only when warnings are denied.
    Warning,
    /// The workflow can't be compiled.
    Error,
}

impl Severity {
    /// `error`, `warning` or `info`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where a finding is: in a text that a person wrote, or inside a JSON document that came without its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A range of bytes of a source file.
    Span(Span),
    /// An RFC 6901 JSON pointer into the document that was checked.
    Pointer(String),
}

impl From<Span> for Location {
    fn from(span: Span) -> Self {
        Self::Span(span)
    }
}

/// A place and what to say about it; the text may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub at: Location,
    /// What is there.
    pub text: String,
}

/// A replacement that is certain enough for a tool to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What to replace.
    pub span: Span,
    /// With what.
    pub replacement: String,
}

/// One finding: what went wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule's name in kebab-case, such as `unknown-output`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence, without a full stop.
    pub message: String,
    /// The exact place.
    pub primary: Label,
    /// Other places that matter, such as the other end of a type mismatch.
    pub secondary: Vec<Label>,
    /// What to do, one sentence each.
    pub help: Vec<String>,
    /// Machine-applicable edits: all together make one fix.
    pub fix: Vec<Edit>,
}

impl Diagnostic {
    /// A finding of `rule` at `at`.
    pub fn new(
        rule: &'static str,
        severity: Severity,
        at: impl Into<Location>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            severity,
            message: message.into(),
            primary: Label { at: at.into(), text: String::new() },
            secondary: Vec::new(),
            help: Vec::new(),
            fix: Vec::new(),
        }
    }

    /// An error of `rule` at `at`.
    pub fn error(rule: &'static str, at: impl Into<Location>, message: impl Into<String>) -> Self {
        Self::new(rule, Severity::Error, at, message)
    }

    /// A warning of `rule` at `at`.
    pub fn warning(rule: &'static str, at: impl Into<Location>, message: impl Into<String>) -> Self {
        Self::new(rule, Severity::Warning, at, message)
    }

    /// Sets the text under the primary place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn also(mut self, at: impl Into<Location>, text: impl Into<String>) -> Self {
        self.secondary.push(Label { at: at.into(), text: text.into() });
        self
    }

    /// Adds a sentence that says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds an edit to the fix.
    #[must_use]
    pub fn edit(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix.push(Edit { span, replacement: replacement.into() });
        self
    }
}

/// Whether any of these findings is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}
