//! `pop.each`: one operation becomes one for each item of a list, and references to it follow.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::agenda::{Agenda, Operation, keys};
use crate::diagnostic::{Diagnostic, Location};
use crate::reference::{self, Mode};

/// How many operations and references fan-outs may make in all: two of them that refer to each other multiply.
const MOST_MADE: usize = 2_000_000;

/// Expands every fan-out of an agenda whose inputs are filled in.
pub(super) fn expand(agenda: &mut Agenda, faults: &mut Vec<Diagnostic>) {
    if !agenda.operations.iter().any(|o| o.params.contains_key(keys::EACH)) {
        return;
    }
    let mut fan_out = FanOut { counts: HashMap::new(), left: MOST_MADE, is_full: false, faults };
    let mut expanded = Vec::with_capacity(agenda.operations.len());
    for (i, mut operation) in std::mem::take(&mut agenda.operations).into_iter().enumerate() {
        let at = || format!("/agenda/operations/{i}/params/{}", keys::EACH);
        match operation.params.shift_remove(keys::EACH) {
            None => expanded.push((i, operation)),
            Some(Value::Array(items)) => {
                fan_out.counts.insert(operation.name.clone(), items.len());
                if fan_out.may_make(items.len(), &at()) {
                    expanded
                        .extend(items.iter().enumerate().map(|(n, item)| (i, instance(&operation, n, item))));
                }
            }
            Some(other) => {
                let what = kind_of(&other);
                let message =
                    format!("operation `{}` fans out over {what}, which is no list", operation.name);
                let finding = Diagnostic::error("not-a-list", Location::Pointer(at()), message);
                fan_out.faults.push(finding.help("`each` needs a list; submit one, or drop `each`"));
            }
        }
    }
    for (i, operation) in &mut expanded {
        let at = format!("/agenda/operations/{i}");
        fan_out.rewrite(&mut operation.payload, &format!("{at}/payload"));
        for (key, value) in &mut operation.params {
            if key == keys::DEPENDS_ON {
                *value = fan_out.dependencies(value, &format!("{at}/params/{key}"));
            } else {
                fan_out.rewrite(value, &format!("{at}/params"));
            }
        }
        operation
            .params
            .retain(|key, value| key != keys::DEPENDS_ON || !(value == "" || *value == json!([])));
    }
    for value in agenda.params.values_mut() {
        fan_out.rewrite(value, "/agenda/params");
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

struct FanOut<'f> {
    /// Fanned-out operation → how many instances it has.
    counts: HashMap<String, usize>,
    /// What is left of [`MOST_MADE`].
    left: usize,
    /// Something was more than what is left.
    is_full: bool,
    faults: &'f mut Vec<Diagnostic>,
}

impl FanOut<'_> {
    /// Whether so many more operations or references may be made; if not, that is one fault, once.
    fn may_make(&mut self, count: usize, at: &str) -> bool {
        if !self.is_full && count <= self.left {
            self.left -= count;
            return true;
        }
        if !self.is_full {
            self.is_full = true;
            let message = format!("fan-outs make more than {MOST_MADE} operations and references in all");
            self.faults.push(Diagnostic::error("too-large", Location::Pointer(at.to_owned()), message));
        }
        false
    }

    /// `encode.*.out` as a whole value becomes the list of all instances' tokens; an index is checked.
    fn rewrite(&mut self, root: &mut Value, at: &str) {
        let mut stack = vec![root];
        while let Some(value) = stack.pop() {
            match value {
                Value::String(text) if text.contains("@<") => {
                    for (_, token) in reference::tokens(text) {
                        self.check_index(&token, at);
                    }
                    let Some(token) = reference::whole(text) else { continue };
                    let Some(base) = token.name.strip_suffix(".*.out") else { continue };
                    let Some(&count) = self.counts.get(base) else { continue };
                    if !self.may_make(count, at) {
                        continue;
                    }
                    let rest = &token.text[2 + token.name.len()..];
                    *value = (0..count).map(|n| Value::from(format!("@<{base}.{n}.out{rest}"))).collect();
                }
                Value::Array(items) => stack.extend(items.iter_mut()),
                Value::Object(map) => stack.extend(map.values_mut()),
                _ => {}
            }
        }
    }

    fn check_index(&mut self, token: &reference::Token<'_>, at: &str) {
        let Some((base, index)) = reference::operation_of(token.name).and_then(|n| n.rsplit_once('.')) else {
            return;
        };
        let (Some(&count), Ok(index)) = (self.counts.get(base), index.parse::<usize>()) else { return };
        if index >= count && token.default.is_none() {
            let message = format!(
                "`{}` asks for number {index} of `{base}`, but its list has {count} items",
                token.text
            );
            self.faults.push(Diagnostic::error("unknown-output", Location::Pointer(at.to_owned()), message));
        }
    }

    /// A fanned-out operation's name becomes those of its instances. A list stays a list: its names may hold commas.
    fn dependencies(&mut self, value: &Value, at: &str) -> Value {
        match value {
            Value::String(text) => {
                let mut names = Vec::new();
                for name in text.split(',').map(str::trim).filter(|s| !s.is_empty()) {
                    self.instances(name, at, &mut names);
                }
                Value::from(names.join(","))
            }
            Value::Array(items) => {
                let mut names = Vec::new();
                let mut others = Vec::new();
                for item in items {
                    match item.as_str() {
                        Some(name) => self.instances(name, at, &mut names),
                        // Kept for the checks of the agenda to report.
                        None => others.push(item.clone()),
                    }
                }
                names.into_iter().map(Value::from).chain(others).collect()
            }
            other => other.clone(),
        }
    }

    fn instances(&mut self, name: &str, at: &str, names: &mut Vec<String>) {
        match self.counts.get(name).copied() {
            None => names.push(name.to_owned()),
            Some(count) if self.may_make(count, at) => {
                names.extend((0..count).map(|n| format!("{name}.{n}")));
            }
            Some(_) => {}
        }
    }
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
