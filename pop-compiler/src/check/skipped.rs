//! Operations that are skipped only because an optional input of theirs reads one that may be skipped.

use super::Model;
use crate::ast::{Value, ValueKind};
use crate::diagnostic::Diagnostic;
use crate::expr::{Reference, Segment};
use crate::rules;
use crate::types::Type;

/// Looks at one operation, once those that it reads are known.
pub(super) fn check(model: &Model<'_>, i: usize, out: &mut Vec<Diagnostic>) {
    let operation = &model.operations[i];
    // one with a condition of its own is meant to be skipped; the operations of a sub-workflow are skipped one by one
    if operation.ast.when.is_some()
        || operation.sub.is_some()
        || !operation.edges.iter().any(|e| !e.soft && may_skip(model, e.to))
    {
        return;
    }
    let Some(Value { kind: ValueKind::Record(fields), .. }) = operation.ast.with.as_ref() else { return };
    let Some(Type::Record(inputs)) = operation.kind.map(|kind| model.types().resolve(&kind.input)) else {
        return;
    };
    let mut found: Vec<(&Reference, &str, usize)> = Vec::new();
    for field in fields {
        let name = field.name.value.as_str();
        let Some(reference) = whole(&field.value) else { continue };
        let Some(other) = operation_of(model, reference).filter(|i| may_skip(model, *i)) else { continue };
        let optional = inputs.get(name).is_some_and(|ty| is_optional(model, ty));
        if optional && !reference.path.iter().any(|step| step.value == Segment::All) {
            found.push((reference, name, other));
        }
    }
    // what can't do without one of them is skipped anyway
    let hard = operation.edges.iter().filter(|e| !e.soft && may_skip(model, e.to));
    if !hard.clone().all(|edge| found.iter().any(|(reference, ..)| reference.span == edge.span)) {
        return;
    }
    let reader = operation.ast.name.value.as_str();
    for (reference, name, other) in found {
        let other = model.operations[other].ast.name.value.as_str();
        out.push(rules::skipped_with::report(reference.span, reader, name, other));
    }
}

fn may_skip(model: &Model<'_>, i: usize) -> bool {
    model.operations[i].conditional
}

/// The reference, written as `${…}` without a default, that the value is.
fn whole(value: &Value) -> Option<&Reference> {
    let ValueKind::Text(template) = &value.kind else { return None };
    template.as_reference().filter(|reference| !template.is_native() && reference.default.is_none())
}

fn operation_of(model: &Model<'_>, reference: &Reference) -> Option<usize> {
    model.targets.get(reference.id as usize)?.operation()
}

/// Whether the type says that there may be nothing; `any` does not say it.
fn is_optional(model: &Model<'_>, ty: &Type) -> bool {
    matches!(model.types().resolve(ty), Type::Union(members) if members.contains(&Type::Null))
}
