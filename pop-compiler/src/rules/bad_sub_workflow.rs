//! `bad-sub-workflow`: a key that `workflow` does not support.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "bad-sub-workflow",
    severity: Severity::Error,
    summary: "a key that `workflow` does not support",
    explanation: "`workflow = \"qc.pop.toml\"` inserts the operations of that file. The operation may have `with`, `each`, `when`, `after` and a description. The \
operations inside set `retry`, `timeout` and `resources` themselves.",
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

/// A key of operations with a type only.
pub(crate) fn key(key: &Spanned<String>) -> Diagnostic {
    let name = &key.value;
    let (message, help) = match name.as_str() {
        "uses" => (
            "an operation cannot have both `uses` and `workflow`".to_owned(),
            "remove one of them".to_owned(),
        ),
        _ => (
            format!("an operation with `workflow` cannot have `{name}`"),
            format!("set `{name}` for the operations inside, or for their types"),
        ),
    };
    RULE.at(key.span, message).label("not with `workflow`").help(help)
}

/// Too many operations.
pub(crate) fn too_large(span: Span, limit: usize) -> Diagnostic {
    RULE.at(span, format!("the workflow expands to more than {limit} operations")).label("too large")
}

/// Values that are too large.
pub(crate) fn too_much(span: Span) -> Diagnostic {
    RULE.at(span, "the values that sub-workflows pass on are too large in total")
        .label("limit exceeded here")
        .help(
            "a workflow that uses an input twice passes the value twice; pass only the needed \
            values, or let an operation produce the value",
        )
}

/// An operation with a name of a sub-workflow's operation.
pub(crate) fn taken(name: &Spanned<String>, of: &str) -> Diagnostic {
    RULE.at(name.span, format!("names that begin with `{of}/` are reserved for the workflow `{of}`"))
        .label("taken")
}
