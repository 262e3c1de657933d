//! `self-reference`: an operation that waits for itself.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "self-reference",
    severity: Severity::Error,
    summary: "an operation that waits for itself",
    explanation: "An operation cannot use its own output or wait for itself.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
after = "wait"
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: false,
};

/// `name` waits for itself at `span`.
pub(crate) fn report(name: &str, span: Span) -> Diagnostic {
    RULE.at(span, format!("`{name}` waits for itself")).label("the operation itself")
}

/// `name` is in its own `after`, at `span`.
pub(crate) fn after(name: &str, span: Span) -> Diagnostic {
    report(name, span).drop_entry(span)
}
