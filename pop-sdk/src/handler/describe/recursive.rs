//! Types that hold themselves: the language says them by name.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use pop_compiler::types::{Record, Type};
use serde_json::{Map, Value, json};

use super::{key, text};

/// What stands in a schema in front of a type's name, so that the type can be found when the schema has been read.
const NAME: char = '\u{e000}';

/// The types that go by name, of all operation types.
#[derive(Default)]
pub(super) struct Shared(BTreeMap<String, Value>);

impl Shared {
    /// The schema with names where types would be endless.
    pub(super) fn name(&mut self, schema: &Value) -> Value {
        let recursive = recursive(schema);
        if recursive.is_empty() {
            return schema.clone();
        }
        let mut names = BTreeMap::new();
        for pointer in &recursive {
            let word = match pointer.rsplit_once('/') {
                Some((_, name)) => name.replace("~1", "/").replace("~0", "~"),
                None => schema.get("title").and_then(Value::as_str).unwrap_or("Type").to_owned(),
            };
            let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
            let word =
                if word.starts_with(|c: char| c.is_ascii_uppercase()) { word } else { format!("Type{word}") };
            names.insert(pointer.clone(), word);
        }
        // One name for two types: the second gets a number. The same type of two operations keeps its name.
        let mut taken: HashSet<String> = HashSet::new();
        for pointer in &recursive {
            let word = names[pointer].clone();
            let mut number = 1;
            loop {
                let name = if number == 1 { word.clone() } else { format!("{word}{number}") };
                names.insert(pointer.clone(), name.clone());
                let meaning = at(schema, pointer).map(|target| named(target, schema, &names, true));
                let same = |known: &Value| meaning.as_ref().is_some_and(|meaning| ty(known) == ty(meaning));
                let same = self.0.get(&name).is_none_or(same);
                if same && taken.insert(name) {
                    break;
                }
                number += 1;
            }
        }
        for (pointer, name) in &names {
            if let Some(target) = at(schema, pointer) {
                self.0.insert(name.clone(), named(target, schema, &names, true));
            }
        }
        match names.get("#") {
            Some(name) => mark(name),
            None => named(schema, schema, &names, true),
        }
    }

    /// The table of them all.
    pub(super) fn write(&self, out: &mut String) {
        if self.0.is_empty() {
            return;
        }
        out.push_str("\n[types]\n");
        for (name, schema) in &self.0 {
            let meaning = match ty(schema) {
                Type::Record(record) => {
                    let fields = schema.get("properties").and_then(Value::as_object);
                    let fields = fields.into_iter().flat_map(Map::keys);
                    let pairs: Vec<String> = fields
                        .filter_map(|field| {
                            Some(format!("{} = {}", key(field), text(&record.get(field)?.to_string())))
                        })
                        .collect();
                    format!("{{ {} }}", pairs.join(", "))
                }
                other => text(&other.to_string()),
            };
            let _ = writeln!(out, "{} = {meaning}", key(name));
        }
    }
}

/// The type of a schema in which names stand.
pub(super) fn ty(schema: &Value) -> Type {
    by_name(Type::from_derived_schema(schema))
}

fn by_name(ty: Type) -> Type {
    match ty {
        Type::Literal(value) => match value.as_str().and_then(|text| text.strip_prefix(NAME)) {
            Some(name) => Type::Named(name.into()),
            None => Type::Literal(value),
        },
        Type::List(item) => by_name((*item).clone()).list(),
        Type::Map(item) => Type::Map(by_name((*item).clone()).into()),
        Type::Secret(inner) => Type::Secret(by_name((*inner).clone()).into()),
        Type::Union(members) => Type::union(members.iter().cloned().map(by_name)),
        Type::Record(record) => {
            let fields = record.iter().map(|(name, ty)| (name.into(), by_name(ty.clone())));
            Record::new(fields).with_rest(record.rest().cloned().map(by_name)).into_type()
        }
        other => other,
    }
}

fn mark(name: &str) -> Value {
    json!({ "const": format!("{NAME}{name}") })
}

fn at<'s>(schema: &'s Value, pointer: &str) -> Option<&'s Value> {
    schema.pointer(pointer.strip_prefix('#')?)
}

/// The references of a schema, `$defs` left out: those are looked at when something refers to them.
fn references<'s>(schema: &'s Value, found: &mut Vec<&'s str>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.push(reference);
            }
            for (_, inner) in map.iter().filter(|(key, _)| *key != "$defs") {
                references(inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Everything that is referred to and comes back to itself, in the order in which it is met. Of a circle only where it is
/// entered goes by name; what is on the way is written out.
fn recursive(schema: &Value) -> Vec<String> {
    fn visit<'s>(
        pointer: &'s str,
        root: &'s Value,
        open: &mut Vec<&'s str>,
        done: &mut HashSet<&'s str>,
        found: &mut Vec<String>,
    ) {
        if open.contains(&pointer) {
            if !found.iter().any(|known| known == pointer) {
                found.push(pointer.to_owned());
            }
            return;
        }
        if done.contains(pointer) {
            return;
        }
        let Some(target) = at(root, pointer) else { return };
        open.push(pointer);
        let mut next = Vec::new();
        references(target, &mut next);
        for reference in next {
            visit(reference, root, open, done, found);
        }
        open.pop();
        done.insert(pointer);
    }
    let mut found = Vec::new();
    visit("#", schema, &mut Vec::new(), &mut HashSet::new(), &mut found);
    found
}

/// A schema in which what has a name goes by it. `top` is the meaning of a name itself.
fn named(schema: &Value, root: &Value, names: &BTreeMap<String, String>, top: bool) -> Value {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|pointer| names.get(pointer))
            {
                return mark(name);
            }
            let mut made: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| *key != "$defs")
                .map(|(key, inner)| (key.clone(), named(inner, root, names, false)))
                .collect();
            // What is referred to and has no name is found there.
            if top && let Some(Value::Object(defs)) = root.get("$defs") {
                let defs = defs.iter().map(|(key, inner)| (key.clone(), named(inner, root, names, false)));
                made.insert("$defs".into(), Value::Object(defs.collect()));
            }
            Value::Object(made)
        }
        Value::Array(items) => items.iter().map(|item| named(item, root, names, false)).collect(),
        other => other.clone(),
    }
}
