//! `syntax`: invalid TOML or JSON.

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::source::Span;
use crate::tree::MAX_DEPTH;

pub(crate) const RULE: Rule = Rule {
    id: "syntax",
    severity: Severity::Error,
    summary: "invalid TOML or JSON",
    explanation: "The file is not valid TOML (or JSON). Where the intended text is obvious, the compiler reads that text and checks the rest. Elsewhere the compiler \
holds back findings about absent things, because the broken part may contain them.",
    bad: "[workflow]\nname = \"broken\n\n[operations.wait]\nuses = \"pop.sleep\"\n",
    good: "[workflow]\nname = \"whole\"\n\n[operations.wait]\nuses = \"pop.sleep\"\n",
    absence: false,
    allowable: false,
};

/// A syntax error with this message.
pub(crate) fn report(span: Span, message: &str, label: &str) -> Diagnostic {
    RULE.at(span, message).label(label)
}

/// Tables or lists nest too deeply.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    RULE.at(span, format!("tables and lists nest more than {MAX_DEPTH} levels deep"))
        .label("too deep from here")
}
