//! Inputs and outputs: what clients send and what they expect, by the schemas that templates carry.

use serde_json::{Map, Value as Json};

use super::{Differ, Verdict, both, shown};
use crate::agenda::{AgendaTemplate, keys};
use crate::types::{Type, Types};

/// A part of a schema as the comparison needs it.
struct Field<'s> {
    ty: Type,
    required: bool,
    schema: &'s Json,
}

pub(super) fn compare(diff: &mut Differ, old: &AgendaTemplate, new: &AgendaTemplate) {
    let (old_inputs, new_inputs) = (old.params.get(keys::INPUTS), new.params.get(keys::INPUTS));
    for name in names(old_inputs, new_inputs) {
        input(diff, &format!("inputs/{name}"), field(old_inputs, &name), field(new_inputs, &name));
    }
    let (old_outputs, new_outputs) = (old.params.get(keys::OUTPUTS), new.params.get(keys::OUTPUTS));
    for name in names(old_outputs, new_outputs) {
        output(diff, &format!("outputs/{name}"), field(old_outputs, &name), field(new_outputs, &name));
    }
    let result = |t: &AgendaTemplate| {
        t.agenda.params.get(keys::RESULT).and_then(Json::as_object).cloned().unwrap_or_default()
    };
    let (old, new) = (result(old), result(new));
    let untyped = old_outputs.is_none() && new_outputs.is_none();
    for name in both(&old, &new) {
        let at = format!("outputs/{name}");
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => diff.values(Verdict::Recompute, &at, Some(old), Some(new)),
            // with types, these have been reported
            (None, Some(_)) if untyped => diff.add(Verdict::Compatible, at, "added"),
            (Some(_), None) if untyped => diff.add(Verdict::Breaking, at, "removed"),
            _ => {}
        }
    }
}

fn input(diff: &mut Differ, at: &str, old: Option<Field<'_>>, new: Option<Field<'_>>) {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (None, Some(new)) if new.required => {
            diff.add(Verdict::Breaking, at, format!("added, and required: `{}`", new.ty));
            return;
        }
        (None, Some(new)) => {
            diff.add(Verdict::Compatible, at, format!("added, and optional: `{}`", new.ty));
            return;
        }
        (Some(old), None) => {
            diff.add(Verdict::Breaking, at, format!("removed; it was `{}`", old.ty));
            return;
        }
        (None, None) => return,
    };
    if old.ty != new.ty {
        let message = format!("`{}` is now `{}`", old.ty, new.ty);
        if fits(&old.ty, &new.ty) && !closes(&old.ty, &new.ty) {
            diff.add(Verdict::Regenerate, at, message + ", which takes all that was taken");
        } else {
            diff.add(Verdict::Breaking, at, message + ", which refuses some of what was taken");
        }
    }
    match (old.required, new.required) {
        // a type that takes null says so already
        (true, false) if old.ty == new.ty => diff.add(Verdict::Regenerate, at, "may be left out now"),
        (false, true) => diff.add(Verdict::Breaking, at, "must be given now"),
        _ => {}
    }
    diff.values(
        Verdict::Recompute,
        &format!("{at}/default"),
        old.schema.get("default"),
        new.schema.get("default"),
    );
    words(diff, at, &old, &new);
}

fn output(diff: &mut Differ, at: &str, old: Option<Field<'_>>, new: Option<Field<'_>>) {
    match (old, new) {
        (Some(old), Some(new)) if old.ty != new.ty => {
            let message = format!("`{}` is now `{}`", old.ty, new.ty);
            if fits(&new.ty, &old.ty) {
                diff.add(Verdict::Regenerate, at, message + ", which was possible before");
            } else {
                diff.add(Verdict::Breaking, at, message + ", which may be more than clients can read");
            }
        }
        (Some(old), Some(new)) => words(diff, at, &old, &new),
        (None, Some(new)) => diff.add(Verdict::Compatible, at, format!("added: `{}`", new.ty)),
        (Some(old), None) => diff.add(Verdict::Breaking, at, format!("removed; it was `{}`", old.ty)),
        (None, None) => {}
    }
}

/// Whether every value of `from` is one of `to`. To the checker `any` fits everywhere; here it is only as wide as itself.
fn fits(from: &Type, to: &Type) -> bool {
    (*from != Type::Any || *to == Type::Any) && Types::default().assign(from, to).is_ok()
}

/// Whether fields that could be given so far are none of the new type's: between operations they are left aside, but who
/// submits them is refused. Recursion is bounded by the depth of a type that was read from a schema.
fn closes(old: &Type, new: &Type) -> bool {
    match (old, new) {
        (Type::Record(a), Type::Record(b)) => {
            a.rest().is_some() && b.rest().is_none()
                || a.iter().any(|(name, ty)| match b.get(name) {
                    Some(new) => closes(ty, new),
                    None => b.rest().is_none(),
                })
        }
        (Type::Map(a), Type::Map(b))
        | (Type::List(a), Type::List(b))
        | (Type::Secret(a), Type::Secret(b)) => closes(a, b),
        (Type::Map(_), Type::Record(b)) => b.rest().is_none(),
        (Type::Union(members), _) => members.iter().any(|member| closes(member, new)),
        (_, Type::Union(members)) => !members.iter().any(|member| fits(old, member) && !closes(old, member)),
        _ => false,
    }
}

/// What is said to people about the same type.
fn words(diff: &mut Differ, at: &str, old: &Field<'_>, new: &Field<'_>) {
    let (old, new) = (old.schema.get("description"), new.schema.get("description"));
    if old != new {
        let text = new.map_or_else(|| "removed".to_owned(), shown);
        diff.add(Verdict::Compatible, format!("{at}/description"), text);
    }
}

fn names(old: Option<&Json>, new: Option<&Json>) -> Vec<String> {
    let properties = |schema: Option<&Json>| {
        schema.and_then(|s| s.get("properties")).and_then(Json::as_object).cloned().unwrap_or_default()
    };
    both(&properties(old), &properties(new)).into_iter().map(str::to_owned).collect()
}

fn field<'s>(schema: Option<&'s Json>, name: &str) -> Option<Field<'s>> {
    let root = schema?;
    let property = root.get("properties")?.get(name)?;
    let required = root.get("required").and_then(Json::as_array);
    let required = required.is_some_and(|names| names.iter().any(|n| n.as_str() == Some(name)));
    // the property alone, with the definitions that it may refer to
    let mut alone: Map<String, Json> = property.as_object().cloned().unwrap_or_default();
    alone.extend(root.get("$defs").map(|defs| ("$defs".to_owned(), defs.clone())));
    Some(Field { ty: Type::from_schema(&Json::Object(alone)), required, schema: property })
}
