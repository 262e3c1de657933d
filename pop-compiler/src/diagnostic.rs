//! Findings as data. How they print is the business of `render/`.

mod draft;
mod rule;

use crate::source::Span;
pub(crate) use draft::Draft;
pub use rule::Rule;

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
    /// What is to become edits once the texts are at hand.
    pub(crate) drafts: Vec<Draft>,
    /// How many infos, warnings and errors it stands for, when it is no finding itself but a count of more (see `budget`).
    pub(crate) more: [usize; 3],
    /// Of a syntax error, whether the text was read as if it were mended, so that nothing is absent because of it.
    pub(crate) read: bool,
}

/// The longest text of a finding, in bytes. Names and types in it may be as long as a file.
const LONGEST: usize = 2000;

/// A text as it is told: a very long one is cut.
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

/// Faults of the syntax.
impl Diagnostic {
    /// The text was read as if this were mended.
    #[must_use]
    pub(crate) fn read_on(mut self) -> Self {
        self.read = true;
        self
    }
}

/// Findings that are only counted.
impl Diagnostic {
    /// Whether it only says how many more there are.
    pub(crate) fn is_count(&self) -> bool {
        self.more != [0; 3]
    }

    /// How many infos, warnings and errors it is.
    pub(crate) fn counts(&self) -> [usize; 3] {
        if self.is_count() { self.more } else { self.counted(1) }
    }

    /// Gives it, or all those that it counts, this severity.
    pub(crate) fn becomes(&mut self, severity: Severity) {
        let all: usize = self.more.iter().sum();
        self.severity = severity;
        self.more = if all > 0 { self.counted(all) } else { self.more };
    }

    fn counted(&self, n: usize) -> [usize; 3] {
        [Severity::Info, Severity::Warning, Severity::Error].map(|s| if s == self.severity { n } else { 0 })
    }

    /// Whether both say the same of the same place.
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

/// A long text cut to what a message can hold.
pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 {
        return text.to_owned();
    }
    let start: String = text.chars().take(77).collect();
    format!("{start}…")
}
