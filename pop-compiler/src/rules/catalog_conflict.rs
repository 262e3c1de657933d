//! `catalog-conflict`: two catalogs say different things about one name.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "catalog-conflict",
    severity: Severity::Error,
    summary: "two catalogs say different things about one name",
    explanation: "An operation type, or a type, may be defined once, or twice in the same way. Built-in operation types can't be redefined.",
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

/// `name` is defined elsewhere, in another way.
pub(crate) fn report(name: &Spanned<String>, what: &str, first: Option<Span>) -> Diagnostic {
    let finding =
        RULE.at(name.span, format!("the {what} `{}` is already defined, in another way", name.value));
    match first {
        Some(first) => finding.label("defined again here").also(first, "first defined here"),
        None => finding.label("built in, or of an imported catalog"),
    }
}

/// The workflow at `path` has another operation type of this name.
pub(crate) fn across(path: &Spanned<String>, name: &str, other: Option<Span>) -> Diagnostic {
    let message = format!("`{}` has another operation type called `{name}` than this file", path.value);
    let finding = RULE.at(path.span, message).label("named here");
    match other {
        Some(span) => finding.also(span, "the other one"),
        None => finding,
    }
}
