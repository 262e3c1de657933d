//! `empty-workflow`: a workflow without operations.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "empty-workflow",
    severity: Severity::Error,
    summary: "a workflow without operations",
    explanation: "A workflow needs at least one operation.",
    bad: r#"[workflow]
name = "example"

"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: true,
    allowable: false,
};

/// A file without content.
pub(crate) fn nothing(span: Span) -> Diagnostic {
    RULE.at(span, "the file is empty").label("expected a workflow").help(
        "start with `[workflow]` and a `name`, then add an operation: `[operations.hello]` with \
            `uses = \"pop.log\"`",
    )
}

/// A workflow without operations.
pub(crate) fn report(span: Span) -> Diagnostic {
    RULE.at(span, "the workflow has no operations")
        .label("nothing to run")
        .help("add an operation: `[operations.hello]` with `uses = \"pop.log\"`")
}
