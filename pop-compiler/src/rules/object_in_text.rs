//! `object-in-text`: an object or a list inside a text.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "object-in-text",
    severity: Severity::Error,
    summary: "an object or a list inside a text",
    explanation: "Inside a longer text a reference is written out, which only works for text, numbers, booleans and null. Refer to a field of it, \
or let the reference be the whole value.",
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
    RULE.at(span, format!("{of} is `{}` and can't be written inside a text", super::shorten(&ty.to_string())))
        .label("not text, a number, a boolean or null")
}
