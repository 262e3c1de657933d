//! `unused-operation`: an operation with an unused output.

use super::{Rule, bad_expression};
use crate::ast::ValueKind;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Model, Operation};
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "unused-operation",
    severity: Severity::Warning,
    summary: "an operation with an unused output",
    explanation: "The operation's type declares an output and the workflow has `[outputs]`, but no output and no operation reads this output or waits for the operation. \
Often a reference was forgotten. For an operation that runs only for its effect, use a type without an output, or wait for the operation with `after`.",
    bad: r#"[workflow]
name = "example"

[operations.first]
uses = "pop.transform"
with = { value = { n = 1 } }

[operations.second]
uses = "pop.transform"
with = { value = { n = 2 } }

[outputs]
n = "${first.n}"
"#,
    good: r#"[workflow]
name = "example"

[operations.first]
uses = "pop.transform"
with = { value = { n = 1 } }

[operations.second]
uses = "pop.transform"
with = { value = { n = "${first.n}" } }

[outputs]
n = "${second.n}"
"#,
    absence: true,
    allowable: true,
};

/// Checks for operations without a reader of their output.
pub(crate) fn check(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    // a reference that could not be read, or means nothing, may be the one that would have named it
    let unclear = model.unclear || out.iter().any(|d| d.rule == bad_expression::RULE.id);
    if model.workflow.outputs.is_empty() || unclear {
        return;
    }
    let mut used = vec![false; model.operations.len()];
    model.operations.iter().flat_map(|o| &o.edges).for_each(|edge| used[edge.to] = true);
    model.outputs.iter().chain(&model.meant).for_each(|i| used[*i] = true);
    for (operation, _) in model.operations.iter().zip(used).filter(|(o, used)| !used && gives(model, o)) {
        let name = &operation.ast.name;
        out.push(
            RULE.at(name.span, format!("unused output of `{}`", name.value))
                .label("unused")
                .help("refer to the output, wait for the operation with `after`, or remove the operation"),
        );
    }
}

fn gives(model: &Model<'_>, operation: &Operation<'_>) -> bool {
    let Some(kind) = operation.kind else { return false };
    match kind.passes {
        // the other types that hand a value through are there for something else
        Some(passed) if kind.name.as_ref() == "pop.transform" => match &operation.ast.with {
            Some(with) => matches!(&with.kind, ValueKind::Record(fields)
                if fields.iter().any(|f| f.name.value == passed)),
            None => false,
        },
        Some(_) => false,
        None => match model.catalog.types.resolve(&kind.output) {
            Type::Any | Type::Error | Type::Null => false,
            Type::Record(record) => !record.is_empty(),
            _ => true,
        },
    }
}
