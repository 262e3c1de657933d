//! `object-in-text`: an object or a list inside a text.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "object-in-text",
    severity: Severity::Error,
    summary: "an object or a list inside a text",
    explanation: "Inside a longer text, a reference becomes text. Only text, numbers, booleans and null have a textual form. Refer to a field of the value, or let the \
reference be the whole value.",
    bad: r#"[workflow]
name = "example"

[inputs]
tags = "list<string>"

[operations.wait]
uses = "pop.sleep"
with = { output = "tags: ${inputs.tags}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
tags = "list<string>"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.tags}" }
"#,
    absence: false,
    allowable: false,
};

/// `of` is an object or a list.
pub(crate) fn report(span: Span, of: &str, ty: &Type) -> Diagnostic {
    RULE.at(
        span,
        format!("cannot write {of} inside a text: its type is `{}`", super::shorten(&ty.to_string())),
    )
    .label("expected text, a number, a boolean or null")
}
