//! Findings as data; `render/` prints them.

mod draft;
mod rule;

use crate::source::Span;
pub(crate) use draft::Draft;
pub use rule::Rule;

/// Severity of a finding.
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

/// Place of a finding: in a source text, or inside a JSON document that came without its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A range of bytes of a source file.
    Span(Span),
    /// An RFC 6901 JSON pointer into the checked document.
    Pointer(String),
}

impl From<Span> for Location {
    fn from(span: Span) -> Self {
        Self::Span(span)
    }
}

/// A place and its text; the text may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub at: Location,
    /// Text of the place.
    pub text: String,
}

/// A replacement that a tool may apply without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The replaced text.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

/// One finding: the fault, its place, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule's name in kebab-case, such as `unknown-output`.
    pub rule: &'static str,
    /// Severity of the finding.
    pub severity: Severity,
    /// One sentence, without a full stop.
    pub message: String,
    /// The exact place.
    pub primary: Label,
    /// Other places that matter, such as the other end of a type mismatch.
    pub secondary: Vec<Label>,
    /// Remedies, one sentence each.
    pub help: Vec<String>,
    /// Edits that a tool may apply; all edits together are one fix.
    pub fix: Vec<Edit>,
    /// Changes that become edits once `fix` has the texts.
    pub(crate) drafts: Vec<Draft>,
    /// Number of infos, warnings and errors behind this finding, if the finding is a count of others (see `budget`).
    pub(crate) more: [usize; 3],
    /// Of a syntax error: whether the parser read a repaired text, so that the error hides no name.
    pub(crate) read: bool,
}

/// Longest text of a finding, in bytes. Names and types in a text may be as long as a file.
const LONGEST: usize = 2000;

/// A text for a finding, cut to [`LONGEST`].
fn told(text: impl Into<String>) -> String {
    let mut text = text.into();
    if text.len() > LONGEST {
        let cut = text.floor_char_boundary(LONGEST);
        text.truncate(cut);
        text.shrink_to_fit();
        text.push('…');
    }
    text
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
            message: told(message),
            primary: Label { at: at.into(), text: String::new() },
            secondary: Vec::new(),
            help: Vec::new(),
            fix: Vec::new(),
            drafts: Vec::new(),
            more: [0; 3],
            read: false,
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
        self.primary.text = told(text);
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn also(mut self, at: impl Into<Location>, text: impl Into<String>) -> Self {
        self.secondary.push(Label { at: at.into(), text: told(text) });
        self
    }

    /// Adds a sentence that says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(told(text));
        self
    }

    /// Adds an edit to the fix.
    #[must_use]
    pub fn edit(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix.push(Edit { span, replacement: replacement.into() });
        self
    }
}

/// Syntax errors.
impl Diagnostic {
    /// Marks the text as read in its repaired form.
    #[must_use]
    pub(crate) fn read_on(mut self) -> Self {
        self.read = true;
        self
    }
}

/// Counts of findings.
impl Diagnostic {
    /// Whether the finding only counts others.
    pub(crate) fn is_count(&self) -> bool {
        self.more != [0; 3]
    }

    /// Number of infos, warnings and errors behind the finding.
    pub(crate) fn counts(&self) -> [usize; 3] {
        if self.is_count() { self.more } else { self.counted(1) }
    }

    /// Sets the severity of the finding, or of all findings that it counts.
    pub(crate) fn becomes(&mut self, severity: Severity) {
        let all: usize = self.more.iter().sum();
        self.severity = severity;
        self.more = if all > 0 { self.counted(all) } else { self.more };
    }

    fn counted(&self, n: usize) -> [usize; 3] {
        [Severity::Info, Severity::Warning, Severity::Error].map(|s| if s == self.severity { n } else { 0 })
    }

    /// Whether both findings have the same text and place.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.rule == other.rule
            && self.primary.at == other.primary.at
            && self.message == other.message
            && self.is_count() == other.is_count()
    }
}

/// Whether any of these findings is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// A text cut to the length of a message.
pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 {
        return text.to_owned();
    }
    let start: String = text.chars().take(77).collect();
    format!("{start}…")
}
