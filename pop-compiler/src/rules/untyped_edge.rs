//! `untyped-edge`: a reference about which nothing is known. Only reported where `pop.toml` asks for it.

use super::Rule;
use crate::ast::{Value, ValueKind};
use crate::check::Model;
use crate::diagnostic::{Diagnostic, Severity};
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "untyped-edge",
    severity: Severity::Info,
    summary: "a reference whose type is not known",
    explanation: "The output is `any`, or goes into an operation type that declares no input, so nothing is checked. Declare the operation type's `input` and `output`. This \
rule only speaks where `pop.toml` names it; the typed coverage of a workflow counts the same references.",
    bad: r#"[workflow]
name = "example"

[catalog."old.tool"]
command = ["old-tool"]

[operations.old]
uses = "old.tool"

[operations.say]
uses = "pop.log"
with = { message = "${old.text}" }
"#,
    good: r#"[workflow]
name = "example"

[catalog."old.tool"]
command = ["old-tool"]
output = { text = "string" }

[operations.old]
uses = "old.tool"

[operations.say]
uses = "pop.log"
with = { message = "${old.text}" }
"#,
    absence: false,
};

/// How many references from operation to operation there are, and how many of them are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// References to outputs of operations.
    pub edges: usize,
    /// Those of a known type that go where a type is declared.
    pub typed: usize,
}

impl Coverage {
    /// The share of typed references in whole per cent, rounded down; 100 when there are none.
    pub fn percent(self) -> usize {
        (self.typed * 100).checked_div(self.edges).unwrap_or(100)
    }
}

/// Counts the references to outputs; with `out`, reports those that are not typed.
pub(crate) fn coverage(model: &Model<'_>, out: Option<&mut Vec<Diagnostic>>) -> Coverage {
    let mut counter = Counter { model, coverage: Coverage::default(), out };
    for operation in &model.operations {
        let undeclared = operation.kind.is_some_and(|kind| kind.input == Type::Any);
        let ast = operation.ast;
        ast.with.iter().for_each(|value| counter.value(value, undeclared));
        ast.when.iter().chain(&ast.each).for_each(|value| counter.value(value, false));
    }
    model.workflow.outputs.iter().for_each(|output| counter.value(&output.value, false));
    counter.coverage
}

struct Counter<'a, 'm> {
    model: &'a Model<'m>,
    coverage: Coverage,
    out: Option<&'a mut Vec<Diagnostic>>,
}

impl Counter<'_, '_> {
    /// Recursion is bounded by the depth of the source.
    fn value(&mut self, value: &Value, undeclared: bool) {
        match &value.kind {
            ValueKind::Text(template) => {
                for reference in template.references() {
                    let id = reference.id as usize;
                    if self.model.targets.get(id).is_none_or(|t| t.operation().is_none()) {
                        continue;
                    }
                    self.coverage.edges += 1;
                    let unknown = self.model.references.get(id) == Some(&Type::Any);
                    if !unknown && !undeclared {
                        self.coverage.typed += 1;
                    } else if let Some(out) = &mut self.out {
                        let why =
                            if unknown { "this is `any`" } else { "this goes where no input is declared" };
                        out.push(
                            RULE.at(reference.span, "nothing is checked about this reference").label(why),
                        );
                    }
                }
            }
            ValueKind::List(items) => items.iter().for_each(|v| self.value(v, undeclared)),
            ValueKind::Record(fields) => fields.iter().for_each(|f| self.value(&f.value, undeclared)),
            ValueKind::Error | ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) => {}
        }
    }
}
