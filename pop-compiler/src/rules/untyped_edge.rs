//! `untyped-edge`: a reference of unknown type.

use super::Rule;
use crate::ast::{Value, ValueKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Model, Operation};
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "untyped-edge",
    severity: Severity::Info,
    summary: "a reference of unknown type",
    explanation: "The output is `any`, or goes into an operation type without a declared input, so the reference is not checked. Declare the operation type's `input` \
and `output`. The rule is off unless `pop.toml` names it. The typed coverage of a workflow counts the same references.",
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
    allowable: true,
};

/// Number of references to outputs, and number of the checked ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// References to outputs of operations.
    pub edges: usize,
    /// References of a known type into a declared input.
    pub typed: usize,
}

impl Coverage {
    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { edges: self.edges + other.edges, typed: self.typed + other.typed }
    }

    /// The share of typed references in whole per cent, rounded down; 100 when there are none.
    pub fn percent(self) -> usize {
        (self.typed * 100).checked_div(self.edges).unwrap_or(100)
    }
}

/// Counts the references to outputs, and reports the untyped ones if `report` is set.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) coverage: Coverage,
    report: bool,
}

impl Counter {
    pub(crate) fn new(report: bool) -> Self {
        Self { coverage: Coverage::default(), report }
    }

    pub(crate) fn operation(
        &mut self,
        model: &Model<'_>,
        operation: &Operation<'_>,
        out: &mut Vec<Diagnostic>,
    ) {
        let undeclared = operation.kind.is_some_and(|kind| kind.input == Type::Any);
        let ast = operation.ast;
        ast.with.iter().for_each(|value| self.value(model, value, undeclared, out));
        ast.when.iter().chain(&ast.each).for_each(|value| self.value(model, value, false, out));
    }

    pub(crate) fn outputs(&mut self, model: &Model<'_>, out: &mut Vec<Diagnostic>) {
        model.workflow.outputs.iter().for_each(|output| self.value(model, &output.value, false, out));
    }

    /// Recursion is bounded by the depth of the source.
    fn value(&mut self, model: &Model<'_>, value: &Value, undeclared: bool, out: &mut Vec<Diagnostic>) {
        match &value.kind {
            ValueKind::Text(template) => {
                for reference in template.references() {
                    let id = reference.id as usize;
                    if model.targets.get(id).is_none_or(|t| t.operation().is_none()) {
                        continue;
                    }
                    self.coverage.edges += 1;
                    let unknown = model.references.get(id) == Some(&Type::Any);
                    if !unknown && !undeclared {
                        self.coverage.typed += 1;
                    } else if self.report {
                        let why = if unknown { "type `any`" } else { "the target declares no input" };
                        out.push(RULE.at(reference.span, "unchecked reference").label(why));
                    }
                }
            }
            ValueKind::List(items) => items.iter().for_each(|v| self.value(model, v, undeclared, out)),
            ValueKind::Record(fields) => {
                for field in fields {
                    self.value(model, &field.value, undeclared, out);
                }
            }
            ValueKind::Error | ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) => {}
        }
    }
}
