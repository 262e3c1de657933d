//! `missing-index`: a fanned-out operation without an index.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expr::write_name;
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "missing-index",
    severity: Severity::Error,
    summary: "a fanned-out operation without an index",
    explanation: "An operation with `each` has one output per item. `[*]` is the list of all outputs, and `[0]` is the first.",
    bad: r#"[workflow]
name = "example"

[operations.encode]
uses = "pop.sleep"
each = [1, 2]

[outputs]
file = "${encode.file}"
"#,
    good: r#"[workflow]
name = "example"

[operations.encode]
uses = "pop.sleep"
each = [1, 2]

[outputs]
files = "${encode[*].file}"
"#,
    absence: false,
    allowable: false,
};

/// `name` fans out, and the reference at `span` has no index.
pub(crate) fn report(name: &str, span: Span, fan_out: Span) -> Diagnostic {
    let shown = write_name(name);
    RULE.at(span, format!("missing index: `{name}` has one output per item of its `each`"))
        .label("which item?")
        .also(fan_out, "fanned out here")
        .help(format!("write `{shown}[*]` for the list of all, or `{shown}[0]` for the first"))
        .all_items(span, name)
}
