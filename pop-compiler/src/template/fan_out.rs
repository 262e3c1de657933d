//! `pop.each`: one operation becomes one for each item of a list, and references to it follow.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::agenda::{Agenda, Operation, keys};
use crate::diagnostic::{Diagnostic, Location};
use crate::reference::{self, Mode};

/// Expands every fan-out of an agenda whose inputs are filled in.
pub(super) fn expand(agenda: &mut Agenda, faults: &mut Vec<Diagnostic>) {
    if !agenda.operations.iter().any(|o| o.params.contains_key(keys::EACH)) {
        return;
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut expanded = Vec::with_capacity(agenda.operations.len());
    for (i, mut operation) in std::mem::take(&mut agenda.operations).into_iter().enumerate() {
        match operation.params.shift_remove(keys::EACH) {
            None => expanded.push((i, operation)),
            Some(Value::Array(items)) => {
                counts.insert(operation.name.clone(), items.len());
                expanded.extend(items.iter().enumerate().map(|(n, item)| (i, instance(&operation, n, item))));
            }
            Some(other) => faults.push(
                Diagnostic::error(
                    "not-a-list",
                    Location::Pointer(format!("/agenda/operations/{i}/params/{}", keys::EACH)),
                    format!(
                        "operation `{}` fans out over {}, which is no list",
                        operation.name,
                        kind_of(&other)
                    ),
                )
                .help("`each` needs a list; submit one, or drop `each`"),
            ),
        }
    }
    for (i, operation) in &mut expanded {
        let at = format!("/agenda/operations/{i}");
        rewrite(&mut operation.payload, &counts, &format!("{at}/payload"), faults);
        for (key, value) in &mut operation.params {
            if key == keys::DEPENDS_ON {
                *value = dependencies(value, &counts);
            } else {
                rewrite(value, &counts, &format!("{at}/params"), faults);
            }
        }
        operation.params.retain(|key, value| key != keys::DEPENDS_ON || value.as_str() != Some(""));
    }
    for value in agenda.params.values_mut() {
        rewrite(value, &counts, "/agenda/params", faults);
    }
    agenda.operations = expanded.into_iter().map(|(_, operation)| operation).collect();
}

fn instance(operation: &Operation, n: usize, item: &Value) -> Operation {
    let number = json!(n);
    let lookup = |name: &str| match name {
        "pop.each" => Some(item),
        "pop.each_index" => Some(&number),
        _ => None,
    };
    let fill = |value: &Value| reference::substitute(value, &lookup, Mode::Splice).0;
    Operation {
        name: format!("{}.{n}", operation.name),
        kind: operation.kind.clone(),
        id: operation.id.clone(),
        payload: fill(&operation.payload),
        params: operation.params.iter().map(|(k, v)| (k.clone(), fill(v))).collect(),
    }
}

/// `encode.*.out` as a whole value becomes the list of all instances' tokens; an index is checked.
fn rewrite(root: &mut Value, counts: &HashMap<String, usize>, at: &str, faults: &mut Vec<Diagnostic>) {
    let mut stack = vec![root];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) if text.contains("@<") => {
                for (_, token) in reference::tokens(text) {
                    check_index(&token, counts, at, faults);
                }
                let Some(token) = reference::whole(text) else { continue };
                let Some(base) = token.name.strip_suffix(".*.out") else { continue };
                let Some(&count) = counts.get(base) else { continue };
                let rest = &token.text[2 + token.name.len()..];
                *value = (0..count).map(|n| Value::from(format!("@<{base}.{n}.out{rest}"))).collect();
            }
            Value::Array(items) => stack.extend(items.iter_mut()),
            Value::Object(map) => stack.extend(map.values_mut()),
            _ => {}
        }
    }
}

fn check_index(
    token: &reference::Token<'_>,
    counts: &HashMap<String, usize>,
    at: &str,
    faults: &mut Vec<Diagnostic>,
) {
    let Some((base, index)) = reference::operation_of(token.name).and_then(|n| n.rsplit_once('.')) else {
        return;
    };
    let (Some(&count), Ok(index)) = (counts.get(base), index.parse::<usize>()) else { return };
    if index >= count && token.default.is_none() {
        let message =
            format!("`{}` asks for number {index} of `{base}`, but its list has {count} items", token.text);
        faults.push(Diagnostic::error("unknown-output", Location::Pointer(at.to_owned()), message));
    }
}

fn dependencies(value: &Value, counts: &HashMap<String, usize>) -> Value {
    let names: Vec<&str> = match value {
        Value::String(text) => text.split(',').map(str::trim).filter(|s| !s.is_empty()).collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => return value.clone(),
    };
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        match counts.get(name) {
            Some(&count) => all.extend((0..count).map(|n| format!("{name}.{n}"))),
            None => all.push(name.to_owned()),
        }
    }
    Value::from(all.join(","))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
