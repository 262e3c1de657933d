//! `large-literal`: a literal that is too large for a workflow.

use super::Rule;
use crate::ast::{Value, ValueKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::expr::Part;
use crate::model::{Model, Operation};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "large-literal",
    severity: Severity::Warning,
    summary: "a literal that is too large for a workflow",
    explanation: "A literal travels with every run: to the server, into its database, to the pool. Keep a value over 64 KiB in a file or an object store, and write its \
address into the workflow.",
    bad: r#"[workflow]
name = "example"

[operations.say]
uses = "pop.log"
with = { message = "(70 KiB of text)" }
"#,
    good: r#"[workflow]
name = "example"

[operations.say]
uses = "pop.log"
with = { message = "see https://example.com/text" }
"#,
    absence: false,
    allowable: true,
};

/// Largest literal in bytes.
const LARGE: usize = 64 << 10;

/// Checks the defaults of inputs, and the outputs.
pub(crate) fn check(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    let workflow = model.workflow;
    let defaults = workflow.inputs.iter().filter_map(|i| i.default.as_ref());
    for value in defaults.chain(workflow.outputs.iter().map(|f| &f.value)) {
        find(value, out);
    }
}

/// Checks the values of one operation.
pub(crate) fn of_operation(_: &Model<'_>, operation: &Operation<'_>, out: &mut Vec<Diagnostic>) {
    let ast = operation.ast;
    for value in [ast.with.as_ref(), ast.each.as_deref(), ast.when.as_deref()].into_iter().flatten() {
        find(value, out);
    }
}

/// Size of a value's literals in bytes. Reports the innermost value that is too large by itself. Recursion is bounded
/// by the depth of the source.
fn find(value: &Value, out: &mut Vec<Diagnostic>) -> usize {
    let before = out.len();
    let size = match &value.kind {
        ValueKind::Text(template) => template
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.len(),
                Part::Reference(_) | Part::Native(_) => 0,
            })
            .sum(),
        ValueKind::List(items) => items.iter().map(|item| find(item, out) + 1).sum(),
        ValueKind::Record(fields) => {
            fields.iter().map(|field| find(&field.value, out) + field.name.value.len() + 4).sum()
        }
        ValueKind::Number(_) => 8,
        ValueKind::Error | ValueKind::Null | ValueKind::Bool(_) => 4,
    };
    if size > LARGE && out.len() == before {
        let start = Span { end: value.span.start.saturating_add(1).min(value.span.end), ..value.span };
        out.push(
            RULE.at(start, format!("large literal of about {} KiB", size >> 10))
                .label("starts here")
                .help("keep the value in a file or an object store, and write its address"),
        );
        return 0;
    }
    size
}
