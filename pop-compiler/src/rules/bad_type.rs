//! `bad-type`: a text that is not a type.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "bad-type",
    severity: Severity::Error,
    summary: "a text that is not a type",
    explanation: "Types are `string int float bool null any url path duration bytes datetime`, `list<T>`, `map<T>`, `T?`, `A | B`, literals in quotes, records \
(`{a: int}` or a table), `secret<T>` and the names of `[types]`.",
    bad: r#"[workflow]
name = "example"

[inputs]
source = "list<string"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.source}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
source = "list<string>"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.source}" }
"#,
    absence: false,
};

/// `text` is not a type.
pub(crate) fn report(span: Span, text: &str, why: &str) -> Diagnostic {
    RULE.at(span, format!("`{}` is not a type: {why}", super::shorten(text))).label("here")
}

/// A type that means itself.
pub(crate) fn circular(name: &Spanned<String>) -> Diagnostic {
    RULE.at(name.span, format!("the type `{}` means itself", name.value))
        .label("has no value that ends")
        .help("a type may only contain itself inside a list, a map or a record")
}
