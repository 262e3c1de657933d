//! Inputs and outputs: compares the schemas that templates carry.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::within::{Who, within};
use super::{Differ, Verdict, both, shown};
use crate::agenda::{AgendaTemplate, keys};
use crate::types::{Type, Types};

/// A part of a schema for the comparison.
struct Field<'s> {
    /// The type; its named types have the prefix of their version.
    ty: Type,
    required: bool,
    schema: &'s Json,
    /// The schema without descriptions and defaults, and its definitions.
    plain: (Json, BTreeMap<String, &'s Json>),
    /// The schema with all definitions.
    alone: Json,
}

impl Field<'_> {
    /// Number of places for paths.
    fn paths(&self) -> usize {
        fn count(schema: &Json) -> usize {
            match schema {
                Json::Object(map) => {
                    let own = map.get("format").and_then(Json::as_str) == Some("path");
                    usize::from(own) + map.values().map(count).sum::<usize>()
                }
                Json::Array(items) => items.iter().map(count).sum(),
                _ => 0,
            }
        }
        count(&self.plain.0) + self.plain.1.values().map(|definition| count(definition)).sum::<usize>()
    }

    /// The type, for people.
    fn shown(&self) -> Type {
        Type::from_schema(&self.alone)
    }
}

/// One side (inputs or outputs) of both versions.
struct Sides<'s> {
    old: Option<&'s Json>,
    new: Option<&'s Json>,
}

impl<'s> Sides<'s> {
    fn of(key: &str, old: &'s AgendaTemplate, new: &'s AgendaTemplate) -> Self {
        Self { old: old.params.get(key), new: new.params.get(key) }
    }

    fn names(&self) -> BTreeSet<&'s str> {
        let properties = |schema: Option<&'s Json>| schema?.get("properties")?.as_object();
        [self.old, self.new]
            .into_iter()
            .filter_map(properties)
            .flat_map(|map| map.keys().map(String::as_str))
            .collect()
    }

    fn field(&self, name: &str, types: &mut Types) -> (Option<Field<'s>>, Option<Field<'s>>) {
        (field(self.old, name, "old ", types), field(self.new, name, "new ", types))
    }
}

pub(super) fn compare(diff: &mut Differ, old: &AgendaTemplate, new: &AgendaTemplate) {
    let inputs = Sides::of(keys::INPUTS, old, new);
    for name in inputs.names() {
        let mut types = Types::default();
        let (old, new) = inputs.field(name, &mut types);
        input(diff, &format!("inputs/{name}"), (old, new), &types);
    }
    let outputs = Sides::of(keys::OUTPUTS, old, new);
    for name in outputs.names() {
        let mut types = Types::default();
        let (old, new) = outputs.field(name, &mut types);
        output(diff, &format!("outputs/{name}"), (old, new), &types);
    }
    let result = |t: &AgendaTemplate| {
        t.agenda.params.get(keys::RESULT).and_then(Json::as_object).cloned().unwrap_or_default()
    };
    let (old, new) = (result(old), result(new));
    let untyped = outputs.old.is_none() && outputs.new.is_none();
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

fn input(diff: &mut Differ, at: &str, sides: (Option<Field<'_>>, Option<Field<'_>>), types: &Types) {
    let (old, new) = match sides {
        (Some(old), Some(new)) => (old, new),
        (None, Some(new)) if new.required => {
            diff.add(Verdict::Breaking, at, format!("added as required: `{}`", new.shown()));
            return;
        }
        (None, Some(new)) => {
            diff.add(Verdict::Compatible, at, format!("added as optional: `{}`", new.shown()));
            return;
        }
        (Some(old), None) => {
            diff.add(Verdict::Breaking, at, format!("removed: `{}`", old.shown()));
            return;
        }
        (None, None) => return,
    };
    // what may be left out may be null: a default takes its place
    let taken = if new.required { new.ty.clone() } else { new.ty.clone().optional() };
    if !within(&old.ty, &taken, types, Who::Takes) {
        let message = change(&old, &new) + ", which rejects some values that were valid";
        diff.add(Verdict::Breaking, at, message);
    } else if old.paths() != new.paths() {
        // a relative one is where it is submitted
        let message = change(&old, &new) + ", and a relative path has another value than the same text";
        diff.add(Verdict::Recompute, at, message);
    } else if old.plain != new.plain {
        diff.add(Verdict::Regenerate, at, change(&old, &new) + ", which accepts all earlier values");
    }
    match (old.required, new.required) {
        // a type that takes null says so already
        (true, false) if old.plain == new.plain => diff.add(Verdict::Regenerate, at, "is now optional"),
        (false, true) => diff.add(Verdict::Breaking, at, "is now required"),
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

fn output(diff: &mut Differ, at: &str, sides: (Option<Field<'_>>, Option<Field<'_>>), types: &Types) {
    match sides {
        (Some(old), Some(new)) => {
            if !within(&new.ty, &old.ty, types, Who::Reads) {
                let message = change(&old, &new) + ", which allows values that old clients cannot read";
                diff.add(Verdict::Breaking, at, message);
            } else if old.plain != new.plain {
                diff.add(Verdict::Regenerate, at, change(&old, &new) + ", which allows no new values");
            }
            words(diff, at, &old, &new);
        }
        (None, Some(new)) => diff.add(Verdict::Compatible, at, format!("added: `{}`", new.shown())),
        (Some(old), None) => diff.add(Verdict::Breaking, at, format!("removed: `{}`", old.shown())),
        (None, None) => {}
    }
}

/// The change of a type, for people. Types inside may have other names, or differ in their recursion, which the text
/// does not show.
fn change(old: &Field<'_>, new: &Field<'_>) -> String {
    let (was, is) = (old.shown(), new.shown());
    if was == is {
        format!("`{is}` contains other types, or other names of types")
    } else {
        format!("`{was}` is now `{is}`")
    }
}

/// Compares the descriptions of the same type.
fn words(diff: &mut Differ, at: &str, old: &Field<'_>, new: &Field<'_>) {
    let (old, new) = (old.schema.get("description"), new.schema.get("description"));
    if old != new {
        let text = new.map_or_else(|| "removed".to_owned(), shown);
        diff.add(Verdict::Compatible, format!("{at}/description"), text);
    }
}

fn field<'s>(schema: Option<&'s Json>, name: &str, scope: &str, types: &mut Types) -> Option<Field<'s>> {
    let root = schema?;
    let property = root.get("properties")?.get(name)?;
    let required = root.get("required").and_then(Json::as_array);
    let required = required.is_some_and(|names| names.iter().any(|n| n.as_str() == Some(name)));
    let mut plain = property.clone();
    if let Json::Object(map) = &mut plain {
        map.shift_remove("description");
        map.shift_remove("default");
        // beside a description a reference is written as the only alternative
        if map.len() == 1
            && let Some(Json::Array(members)) = map.get_mut("anyOf")
            && members.len() == 1
        {
            plain = members.remove(0);
        }
    }
    // the property alone, with the definitions that it may refer to
    let mut alone: Map<String, Json> = property.as_object().cloned().unwrap_or_default();
    alone.extend(root.get("$defs").map(|defs| ("$defs".to_owned(), defs.clone())));
    let alone = Json::Object(alone);
    let plain = (plain, definitions(property, root));
    Some(Field {
        ty: Type::from_schema_named(&alone, scope, types),
        required,
        schema: property,
        plain,
        alone,
    })
}

/// The definitions that a schema refers to, by their references.
fn definitions<'s>(schema: &'s Json, root: &'s Json) -> BTreeMap<String, &'s Json> {
    let mut found = BTreeMap::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Json::Object(map) => {
                if let Some(Json::String(reference)) = map.get("$ref")
                    && !found.contains_key(reference)
                    && let Some(target) = crate::types::pointed(root, reference)
                {
                    found.insert(reference.clone(), target);
                    open.push(target);
                }
                open.extend(map.values());
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}
