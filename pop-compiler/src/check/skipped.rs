//! Operations that are skipped only because an optional input of theirs reads one that may be skipped.

use crate::ast::{Value, ValueKind};
use crate::diagnostic::Diagnostic;
use crate::expr::{Reference, Segment};
use crate::model::Model;
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
    let (Some(with), Some(kind)) = (&operation.ast.with, operation.kind) else { return };
    let mut found: Vec<Found<'_>> = Vec::new();
    collect(model, with, &kind.input, "", &mut found);
    // what can't do without one of them is skipped anyway
    let hard = operation.edges.iter().filter(|e| !e.soft && may_skip(model, e.to));
    if !hard.clone().all(|edge| found.iter().any(|found| found.reference.span == edge.span)) {
        return;
    }
    let reader = operation.ast.name.value.as_str();
    for Found { reference, input, other } in found {
        let other = model.operations[other].ast.name.value.as_str();
        out.push(rules::skipped_with::report(reference.span, reader, &input, other));
    }
}

/// A reference to what may be skipped, in the place of something optional.
struct Found<'v> {
    reference: &'v Reference,
    /// The input, or the place in it.
    input: String,
    other: usize,
}

/// Finds them in a value of a type. Recursion is bounded by the depth of the source.
fn collect<'v>(model: &Model<'_>, value: &'v Value, ty: &Type, at: &str, found: &mut Vec<Found<'v>>) {
    let ty = model.types().resolve(ty);
    if let Some(reference) = whole(value) {
        let other = operation_of(model, reference).filter(|i| may_skip(model, *i));
        // a default behind all items stands for each of them
        let all = reference.path.iter().any(|step| step.value == Segment::All);
        if let Some(other) = other.filter(|_| is_optional(ty) && !all) {
            found.push(Found { reference, input: at.to_owned(), other });
        }
        return;
    }
    let ty = match ty {
        Type::Union(members) => {
            let mut others = members.iter().filter(|member| **member != Type::Null);
            match (others.next(), others.next()) {
                (Some(only), None) => model.types().resolve(only),
                _ => return,
            }
        }
        other => other,
    };
    match (&value.kind, ty) {
        (ValueKind::Record(fields), Type::Record(record)) => {
            for field in fields {
                let name = field.name.value.as_str();
                let at = if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
                if let Some(ty) = record.get(name) {
                    collect(model, &field.value, ty, &at, found);
                }
            }
        }
        (ValueKind::List(items), Type::List(item)) => {
            for (i, value) in items.iter().enumerate() {
                collect(model, value, item, &format!("{at}[{i}]"), found);
            }
        }
        _ => {}
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
fn is_optional(ty: &Type) -> bool {
    matches!(ty, Type::Union(members) if members.contains(&Type::Null))
}
