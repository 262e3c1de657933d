//! `bad-sub-workflow`: something that an operation made of a workflow can't have.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "bad-sub-workflow",
    severity: Severity::Error,
    summary: "something that an operation made of a workflow can't have",
    explanation: "With `workflow = \"qc.pop.toml\"` the operations of that file stand here. It has `with`, `each`, `when`, `after` and a description; how each of its operations \
runs (`retry`, `timeout`, `resources`) is said inside it.",
    bad: r#"[workflow]
name = "outer"

[operations.qc]
workflow = "qc.pop.toml"
with = { file = "a.bam" }
retry = 3
"#,
    good: r#"[workflow]
name = "outer"

[operations.qc]
workflow = "qc.pop.toml"
with = { file = "a.bam" }

[outputs]
file = "${qc.file}"
"#,
    absence: false,
    allowable: false,
};

/// A key that only operations with a type have.
pub(crate) fn key(key: &Spanned<String>) -> Diagnostic {
    let name = &key.value;
    let (message, help) = match name.as_str() {
        "uses" => ("an operation has either `uses` or `workflow`".to_owned(), "drop one of them".to_owned()),
        _ => (
            format!("a workflow has no `{name}` of its own"),
            format!("say it for the operations inside, or with `{name}` of their types"),
        ),
    };
    RULE.at(key.span, message).label("not with `workflow`").help(help)
}

/// More operations than anybody means.
pub(crate) fn too_large(span: Span, limit: usize) -> Diagnostic {
    RULE.at(span, format!("with all that it contains this makes more than {limit} operations"))
        .label("too large")
}

/// Values that are larger than anybody means.
pub(crate) fn too_much(span: Span) -> Diagnostic {
    RULE.at(span, "the values that the workflows inside hand on are too large together")
        .label("too large with this one")
        .help("a workflow that uses an input twice hands on twice as much; hand on what is needed, or let an operation make the value")
}

/// An operation whose name a sub-workflow's would take.
pub(crate) fn taken(name: &Spanned<String>, of: &str) -> Diagnostic {
    RULE.at(name.span, format!("names that begin with `{of}/` belong to the workflow `{of}`")).label("taken")
}
