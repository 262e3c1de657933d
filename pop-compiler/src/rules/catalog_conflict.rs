//! `catalog-conflict`: conflicting definitions of one name.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "catalog-conflict",
    severity: Severity::Error,
    summary: "conflicting definitions of one name",
    explanation: "An operation type, or a type, may be defined once, or several times in the same way. Built-in operation types cannot be redefined.",
    bad: r#"[workflow]
name = "example"

[catalog."pop.sleep"]
input = { seconds = "int" }

[operations.wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[catalog."x.sleep"]
input = { seconds = "int" }

[operations.wait]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: false,
};

/// `name` has another definition elsewhere.
pub(crate) fn report(name: &Spanned<String>, what: &str, first: Option<Span>) -> Diagnostic {
    let finding = RULE.at(name.span, format!("conflicting definitions of the {what} `{}`", name.value));
    match first {
        Some(first) => finding.label("defined again here").also(first, "first defined here"),
        None => finding.label("defined as a built-in or in an imported catalog, too"),
    }
}

/// The workflow at `path` defines the operation type differently.
pub(crate) fn across(path: &Spanned<String>, name: &str, other: Option<Span>) -> Diagnostic {
    let message = format!("`{}` defines the operation type `{name}` differently", path.value);
    let finding = RULE.at(path.span, message).label("named here");
    match other {
        Some(span) => finding.also(span, "other definition"),
        None => finding,
    }
}
