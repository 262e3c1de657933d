//! `workflow-cycle`: workflows that contain each other.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "workflow-cycle",
    severity: Severity::Error,
    summary: "workflows that contain each other",
    explanation: "`workflow = \"…\"` inserts a workflow in place of the operation. A workflow that contains itself, directly or through others, would never end.",
    bad: r#"[workflow]
name = "example"

[operations.again]
workflow = "example.pop.toml"
"#,
    good: r#"[workflow]
name = "example"

[operations.qc]
workflow = "qc.pop.toml"
with = { file = "a.bam" }

[outputs]
file = "${qc.file}"
"#,
    absence: false,
    allowable: false,
};

/// `path` is the cycle of files; the first one is also the last.
pub(crate) fn report(span: Span, path: &[&str]) -> Diagnostic {
    RULE.at(span, format!("workflows contain each other: {}", path.join(" → "))).label("closes the cycle")
}

/// Workflows that nest too deep.
pub(crate) fn too_deep(span: Span, limit: usize) -> Diagnostic {
    RULE.at(span, format!("workflows nest more than {limit} levels deep")).label("too deep")
}
