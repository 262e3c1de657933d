//! `not-a-list`: a value that is used like a list.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "not-a-list",
    severity: Severity::Error,
    summary: "a value that is used like a list",
    explanation: "`each` needs a list; `[0]` and `[*]` need a list or an operation with `each`.",
    bad: r#"[workflow]
name = "example"

[inputs]
source = "url"

[operations.wait]
uses = "pop.sleep"
each = "${inputs.source}"
"#,
    good: r#"[workflow]
name = "example"

[inputs]
sources = "list<url>"

[operations.wait]
uses = "pop.sleep"
each = "${inputs.sources}"
"#,
    absence: false,
    allowable: false,
};

/// `each` over another value, perhaps a text that was `meant` as a reference.
pub(crate) fn each(span: Span, ty: &Type, meant: Option<(&str, &str)>) -> Diagnostic {
    let finding = RULE
        .at(span, format!("`each` needs a list, but the value is `{}`", super::shorten(&ty.to_string())))
        .label("not a list");
    match meant {
        Some((text, right)) => finding.help(format!("write `{right}`")).rename(span, text, right),
        None => finding,
    }
}

/// An index into another value.
pub(crate) fn index(span: Span, of: &str, ty: &Type) -> Diagnostic {
    RULE.at(span, format!("{of} is `{}`, which is not a list", super::shorten(&ty.to_string())))
        .label("cannot be indexed")
}

/// `[*]` on a value that is not a fan-out.
pub(crate) fn all(span: Span, of: &str) -> Diagnostic {
    RULE.at(span, format!("`[*]` needs an operation with `each`, but {of} is not one")).label("not a fan-out")
}
