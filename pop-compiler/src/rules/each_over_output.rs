//! `each-over-output`: a fan-out over what an operation gives.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "each-over-output",
    severity: Severity::Error,
    summary: "a fan-out over what an operation gives",
    explanation: "How many operations there are must be known when the workflow is submitted, so `each` takes a list or an input.",
    bad: r#"[workflow]
name = "example"

[operations.list]
uses = "pop.sleep"

[operations.wait]
uses = "pop.sleep"
each = "${list.files}"
"#,
    good: r#"[workflow]
name = "example"

[inputs]
files = "list<path>"

[operations.wait]
uses = "pop.sleep"
each = "${inputs.files}"
"#,
    absence: false,
};

/// `each` refers to the output of `name`.
pub(crate) fn report(span: Span, name: &str) -> Diagnostic {
    RULE.at(span, "fan-out over an operation's output is not available yet; fan out over an input or a list")
        .label(format!("only known once `{name}` has run"))
}

/// `${each.field}` where the item is the output of an operation.
pub(crate) fn inside(span: Span) -> Diagnostic {
    RULE.at(span, "this looks into an item that is only known once another operation has run")
        .label("an item of `each` that is an output can only be used whole")
        .help("name the field in the list: `each = [\"${a.field}\", …]`")
}

/// A sub-workflow fans out over its input `input`, which refers to the output of `name`.
pub(crate) fn input(span: Span, input: &str, name: &str) -> Diagnostic {
    RULE.at(span, format!("the workflow fans out over `{input}`, which must be known before anything runs"))
        .label(format!("only known once `{name}` has run"))
}
