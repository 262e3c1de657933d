//! `pop.each`: one operation becomes one for each item of a list, and references to it follow.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::rules;
use crate::agenda::{self, Agenda, Operation, Params, keys};
use crate::diagnostic::{Diagnostic, Location};
use crate::generator::{
    FAN_OUT_TYPE, Family, FanOut, asks_its_item, families, gather, kind_of, with_condition,
};
use crate::reference::{self, Fallback, Reference, Token};

/// How many operations and references fan-outs may make in all: two of them that refer to each other multiply.
const MAX_GENERATED: usize = 2_000_000;

/// Expands every fan-out of an agenda whose inputs are filled in.
pub(super) fn expand(agenda: &mut Agenda, faults: &mut Vec<Diagnostic>) {
    if !agenda.operations.iter().any(|o| o.params.contains_key(keys::EACH)) {
        return;
    }
    let mut fan_out = Expansion {
        counts: HashMap::new(),
        conditions: HashMap::new(),
        lists: Vec::new(),
        names: HashSet::new(),
        left: MAX_GENERATED,
        is_full: false,
        told: HashSet::new(),
        faults,
    };
    let mut expanded = Vec::with_capacity(agenda.operations.len());
    let mut open: Vec<(usize, Operation)> =
        std::mem::take(&mut agenda.operations).into_iter().enumerate().collect();
    open.reverse();
    while let Some((i, mut operation)) = open.pop() {
        let at = || format!("/agenda/operations/{i}/params/{}", keys::EACH);
        let asks = asks_its_item(&operation.params);
        match operation.params.shift_remove(keys::EACH) {
            None => expanded.push((i, operation)),
            Some(Value::Array(items)) => {
                let name = operation.name.clone();
                let when =
                    operation.params.get(keys::WHEN).filter(|when| !asks && **when != Value::Bool(true));
                fan_out.conditions.extend(when.map(|when| (name.clone(), when.clone())));
                let group = match Group::of(operation) {
                    Ok(group) => group,
                    Err(why) => {
                        fan_out.unreadable(&name, &why, &at());
                        continue;
                    }
                };
                fan_out.counts.insert(name, items.len());
                if fan_out.may_make(items.len().saturating_mul(group.fan_out.operations.len()), &at()) {
                    let (made, lacks) = group.made(&items);
                    if let Some(lacks) = lacks {
                        fan_out.lacks(i, &lacks);
                    }
                    // What is made may fan out itself.
                    open.extend(made.into_iter().rev().map(|operation| (i, operation)));
                }
            }
            Some(Value::String(list)) if is_output(&list) => {
                let name = operation.name.clone();
                match generator(operation, list.into(), asks) {
                    Ok(generator) => expanded.push((i, generator)),
                    Err(why) => fan_out.unreadable(&name, &why, &at()),
                }
            }
            Some(other) => {
                let what = kind_of(&other);
                let message =
                    format!("cannot fan out operation `{}` over {what}: expected a list", operation.name);
                let finding = Diagnostic::error("not-a-list", Location::Pointer(at()), message);
                fan_out.faults.push(finding.help("submit a list, or remove `each`"));
            }
        }
    }
    if !fan_out.conditions.is_empty() {
        fan_out.names = expanded.iter().map(|(_, operation)| operation.name.to_lowercase()).collect();
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
    let made = expanded.into_iter().map(|(_, operation)| operation);
    agenda.operations = made.chain(fan_out.lists.into_iter().map(|(_, operation)| operation)).collect();
}

/// What is made for each item: the operation that fans out, or the several that stand in its place.
struct Group {
    fan_out: FanOut,
    /// For all of them, when several stand in the place of one.
    after: Option<Value>,
    when: Option<Value>,
}

impl Group {
    /// Of an operation without its `pop.each`. The error is a fragment.
    fn of(mut operation: Operation) -> Result<Self, String> {
        if let Some(fan_out) = FanOut::of(&operation)? {
            let after = operation.params.shift_remove(keys::DEPENDS_ON);
            let when = operation.params.shift_remove(keys::WHEN);
            return Ok(Self { fan_out, after, when });
        }
        let fan_out = FanOut { name: operation.name.clone(), item: None, operations: vec![operation] };
        Ok(Self { fan_out, after: None, when: None })
    }

    /// The operations for a list that is written out, and what an item lacks to make one.
    fn made(mut self, items: &[Value]) -> (Vec<Operation>, Option<Lacks>) {
        let several = self.fan_out.operations.len() > 1;
        let (after, when) = (self.after.take(), self.when.take());
        let mut operations = Vec::with_capacity(self.fan_out.operations.len());
        let names: HashSet<String> = self.fan_out.operations.iter().map(|o| o.name.clone()).collect();
        for mut operation in std::mem::take(&mut self.fan_out.operations) {
            let inside = |name: &str| {
                names.contains(name) || name.rsplit_once('.').is_some_and(|(stem, _)| names.contains(stem))
            };
            // Those that wait for another of them wait for whatever that one waits for.
            if let Some(after) = &after
                && !agenda::dependencies(&operation).iter().any(|d| inside(&d.name))
            {
                also_after(&mut operation.params, after);
            }
            if let Some(when) = &when {
                if asks_its_item(&operation.params) {
                    operation = with_condition(operation, when.clone());
                } else {
                    operations.extend(also_when(&mut operation, when));
                }
            }
            operations.push(operation);
        }
        self.fan_out.operations = operations;
        let family = Family::new(&self.fan_out);
        let mut lacks = None;
        let mut made = Vec::with_capacity(items.len() * self.fan_out.operations.len());
        for (n, item) in items.iter().enumerate() {
            let first = made.len();
            made.extend(self.fan_out.written(&family, n, item));
            if lacks.is_none() {
                let left = made[first..].iter().find_map(|operation| family.left_over(operation));
                lacks = left.map(|(field, token)| Lacks {
                    name: self.fan_out.name.clone(),
                    item: n,
                    field: if several { "params" } else { field },
                    token,
                });
            }
        }
        (made, lacks)
    }
}

/// Something that an operation needs of an item that does not have it.
struct Lacks {
    name: String,
    item: usize,
    /// The part of the operation that refers to it.
    field: &'static str,
    token: String,
}

/// Lets an operation wait for more.
fn also_after(params: &mut Params, after: &Value) {
    let names = |value: &Value| match value {
        Value::String(text) => text.split(',').map(|name| Value::from(name.trim())).collect(),
        Value::Array(names) => names.clone(),
        _ => Vec::new(),
    };
    match params.get_mut(keys::DEPENDS_ON) {
        Some(own) => {
            let all = names(own).into_iter().chain(names(after)).filter(|name| name != "").collect();
            *own = Value::Array(all);
        }
        None => {
            params.shift_insert(0, keys::DEPENDS_ON.to_owned(), after.clone());
        }
    }
}

/// Gives an operation a condition more. Where it has one already, both must hold: one operation, which is given back, asks
/// for the first and hands on the second.
fn also_when(operation: &mut Operation, when: &Value) -> Option<Operation> {
    let Some(own) = operation.params.get_mut(keys::WHEN) else {
        operation.params.insert(keys::WHEN.to_owned(), when.clone());
        return None;
    };
    let name = format!("{}.all", operation.name);
    let token = Reference { name: format!("{name}.out"), path: Vec::new(), default: None };
    let own = std::mem::replace(own, token.to_string().into());
    Some(Operation {
        name,
        kind: "pop.transform".into(),
        payload: json!({ "value": own }),
        params: Params::from_iter([(keys::WHEN.to_owned(), when.clone())]),
        ..Operation::default()
    })
}

/// The operation that makes the others while the agenda runs, when the list is what another operation gives. A condition
/// goes to it, unless that asks the item. Recursion is bounded by the depth of the source.
fn generator(mut operation: Operation, list: Value, asks: bool) -> Result<Operation, String> {
    let name = operation.name.clone();
    let mut params = Params::new();
    let marker = json!({ "operationsJsonPointer": "/operations", "names": [format!("{name}.*")] });
    params.extend(operation.params.shift_remove(keys::DEPENDS_ON).map(|v| (keys::DEPENDS_ON.to_owned(), v)));
    params.insert(keys::GENERATOR.into(), marker);
    let when = if asks { None } else { operation.params.shift_remove(keys::WHEN) };
    let Group { mut fan_out, .. } = Group::of(operation)?;
    for made in &mut fan_out.operations {
        // A fan-out inside one whose length is not known makes its own when that one has made it.
        let asks = asks_its_item(&made.params);
        if let Some(list) = made.params.shift_remove(keys::EACH) {
            *made = generator(std::mem::take(made), list, asks)?;
        }
    }
    params.insert(keys::FAN_OUT.into(), serde_json::to_value(fan_out).map_err(|e| e.to_string())?);
    params.extend(when.map(|v| (keys::WHEN.to_owned(), v)));
    Ok(Operation {
        name: format!("{name}.each"),
        kind: FAN_OUT_TYPE.into(),
        id: None,
        payload: json!({ "items": list }),
        params,
    })
}

/// Whether a list is what an operation gives.
fn is_output(list: &str) -> bool {
    reference::whole(list).is_some_and(|t| reference::operation_of(t.name).is_some())
}

struct Expansion<'f> {
    /// Fanned-out operation → how many instances it has.
    counts: HashMap<String, usize>,
    /// Fanned-out operation → its condition, where that does not ask the item.
    conditions: HashMap<String, Value>,
    /// Operations that give a list of defaults, each with the reference that it stands for.
    lists: Vec<(String, Operation)>,
    /// The names that are taken, in lower case; kept where lists are given.
    names: HashSet<String>,
    /// What is left of [`MAX_GENERATED`].
    left: usize,
    /// Something was more than what is left.
    is_full: bool,
    /// The operations whose items lack something, by their index.
    told: HashSet<usize>,
    faults: &'f mut Vec<Diagnostic>,
}

impl Expansion<'_> {
    /// What refers to something that an item does not have is a fault, told once.
    fn lacks(&mut self, i: usize, Lacks { name, item, field, token }: &Lacks) {
        if self.told.insert(i) {
            let at = Location::Pointer(format!("/agenda/operations/{i}/{field}"));
            let message = format!("`{token}` has no value in item {item} of `{name}`");
            let help = "add the value to that item, or give the reference a default";
            self.faults.push(Diagnostic::error("unknown-field", at, message).help(help));
        }
    }

    /// Whether so many more operations or references may be made; if not, that is one fault, once.
    fn may_make(&mut self, count: usize, at: &str) -> bool {
        if !self.is_full && count <= self.left {
            self.left -= count;
            return true;
        }
        if !self.is_full {
            self.is_full = true;
            self.faults.push(rules::too_large::report(Location::Pointer(at.to_owned()), MAX_GENERATED));
        }
        false
    }

    /// What an operation would make for each item can't be read.
    fn unreadable(&mut self, name: &str, why: &str, at: &str) {
        let message = format!("invalid operations of the fan-out `{name}`: {why}");
        self.faults.push(Diagnostic::error("wrong-shape", Location::Pointer(at.to_owned()), message));
    }

    /// `encode.*.out` as a whole value becomes the list of all instances' tokens; an index is checked.
    fn rewrite(&mut self, root: &mut Value, at: &str) {
        let mut beyond = false;
        reference::scan(root, &mut |_, _, token| beyond |= self.check_index(token, at));
        if beyond {
            // Nothing will ever be there, so the default stands for good.
            *root = reference::rewrite(root.take(), &|token| {
                let default =
                    token.default_value().filter(|_| token.copes() && self.count_before(token).is_some())?;
                Some(reference::escaped(default))
            });
        }
        if !self.conditions.is_empty() {
            families(root, &mut |token| self.with_defaults(token, at));
        }
        self.gathered(root, at);
    }

    /// A reference with a default to all items of a fan-out under a condition: that stands in for each item, and where the
    /// condition is false there are none. So an operation gives the list, and is skipped with the items.
    fn with_defaults(&mut self, token: &Token<'_>, at: &str) -> Option<Value> {
        let stem = token.name.strip_suffix(".*.out").filter(|_| token.copes())?;
        let when = self.conditions.get(stem)?.clone();
        let known = self.lists.iter().find(|(text, _)| text == token.text);
        let name = if let Some((_, operation)) = known {
            operation.name.clone()
        } else {
            let mut name = format!("{stem}.all");
            while !self.names.insert(name.to_lowercase()) {
                name.push('_');
            }
            let mut list = Value::from(token.text);
            self.gathered(&mut list, at);
            let operation = Operation {
                name: name.clone(),
                kind: "pop.transform".into(),
                payload: json!({ "value": list }),
                params: Params::from_iter([(keys::WHEN.to_owned(), when)]),
                ..Operation::default()
            };
            self.lists.push((token.text.to_owned(), operation));
            name
        };
        let default = Some(Fallback::Value(json!([])));
        Some(Reference { name: format!("{name}.out"), path: Vec::new(), default }.to_string().into())
    }

    fn gathered(&mut self, root: &mut Value, at: &str) {
        gather(root, &mut |stem| {
            let count = *self.counts.get(stem)?;
            self.may_make(count, at).then_some(count)
        });
    }

    /// Whether a token asks for an item beyond the end. Without a default that is a fault.
    fn check_index(&mut self, token: &reference::Token<'_>, at: &str) -> bool {
        let Some((base, index, count)) = self.count_before(token) else { return false };
        if !token.copes() {
            let message = format!(
                "`{}` refers to item {index} of `{base}`, but the list has {count} items",
                token.text
            );
            self.faults.push(Diagnostic::error("unknown-output", Location::Pointer(at.to_owned()), message));
        }
        true
    }

    /// For an item beyond the end of its list: the fan-out, the item, and how many there are.
    fn count_before<'t>(&self, token: &reference::Token<'t>) -> Option<(&'t str, usize, usize)> {
        let (base, index) = reference::operation_of(token.name)?.rsplit_once('.')?;
        let (count, index) = (*self.counts.get(base)?, index.parse::<usize>().ok()?);
        (index >= count).then_some((base, index, count))
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
