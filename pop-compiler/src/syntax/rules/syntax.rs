//! `syntax`: the text is not TOML or JSON.

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::source::Span;
use crate::tree::MAX_DEPTH;

pub(crate) const RULE: Rule = Rule {
    id: "syntax",
    severity: Severity::Error,
    summary: "the text is not valid TOML or JSON",
    explanation: "The file is not TOML (or JSON). Where it is obvious what was meant, it is read so, and the rest is checked as \
ever. Where it is not, findings that only say that something is absent are held back, since it may be in the broken part.",
    bad: "[workflow]\nname = \"broken\n\n[operations.wait]\nuses = \"pop.sleep\"\n",
    good: "[workflow]\nname = \"whole\"\n\n[operations.wait]\nuses = \"pop.sleep\"\n",
    absence: false,
    allowable: false,
};

/// What a front end found.
pub(crate) fn report(span: Span, message: &str, label: &str) -> Diagnostic {
    RULE.at(span, message).label(label)
}

/// Tables or lists nest too deeply.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    RULE.at(span, format!("tables and lists nest more than {MAX_DEPTH} deep")).label("too deep from here")
}
