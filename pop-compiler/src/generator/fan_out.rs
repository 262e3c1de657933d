//! Fan-outs: one operation, or several that belong together, for each item of a list. A template expands a fan-out when
//! its inputs are known. A generator expands one while its agenda runs.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FAN_OUT_TYPE, Generator};
use crate::agenda::{Dependency, Operation, Params, dependencies, keys};
use crate::reference::{self, Token, dig, escaped, follow, operation_of};

/// Most operations that one fan-out may make while an agenda runs.
const MAX_GENERATED: usize = 100_000;

/// The parameter of a `pop.fanOut`: the operations for each item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FanOut {
    /// Name of the family: item 3 becomes `<name>.3`.
    pub name: String,
    /// Name of the item's token, if it differs from `pop.each`; the index has the same name with `_index`. Fan-outs
    /// inside fan-outs have items of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The operations. One has the name of the family. The names of the others begin with the family's name and a slash
    /// or a dot, and change the same way: `<name>/x` becomes `<name>.3/x`.
    pub operations: Vec<Operation>,
}

/// Default name of the item's token.
const ITEM: &str = "pop.each";

/// An item of the list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'v> {
    /// Template text: its references stay references.
    Written(&'v Value),
    /// Data without references.
    Given(&'v Value),
}

impl FanOut {
    /// The fan-out of an operation; none without the parameter.
    ///
    /// # Errors
    /// The fault of the parameter, as a fragment.
    pub fn of(operation: &Operation) -> Result<Option<Self>, String> {
        let Some(value) = operation.params.get(keys::FAN_OUT).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        Self::deserialize(value).map(Some).map_err(|e| e.to_string())
    }

    /// The operations for these items, which are data.
    ///
    /// # Errors
    /// The item and its fault, for people.
    pub fn make(&self, items: &Value) -> Result<Vec<Operation>, String> {
        let Value::Array(items) = items else {
            return Err(format!("cannot fan out `{}` over {}: expected a list", self.name, kind_of(items)));
        };
        let count = items.len().saturating_mul(self.operations.len());
        if count > MAX_GENERATED {
            return Err(format!(
                "cannot fan out `{}` into {count} operations: the limit is {MAX_GENERATED}. Pass the \
                    list in smaller pieces",
                self.name
            ));
        }
        let family = Family::new(self);
        let mut generated = Vec::with_capacity(count);
        for (n, item) in items.iter().enumerate() {
            for operation in &self.operations {
                let operation = family.instance(operation, n, Item::Given(item));
                if let Some((_, token)) = family.left_over(&operation) {
                    let name = &self.name;
                    return Err(format!(
                        "invalid item {n} of `{name}`: `{token}` has no value, or an object or list inside a \
                            text. Give the reference a default if the value may be absent"
                    ));
                }
                generated.push(operation);
            }
        }
        Ok(generated)
    }

    /// The operations for item `n` of a literal list: its references stay references.
    pub(crate) fn written(&self, family: &Family<'_>, n: usize, item: &Value) -> Vec<Operation> {
        self.operations.iter().map(|operation| family.instance(operation, n, Item::Written(item))).collect()
    }

    /// All dependencies of the operations, and of fan-outs inside, on operations outside.
    pub(crate) fn waits_for(&self) -> Vec<Dependency> {
        let family = Family::new(self);
        let mut found = Vec::new();
        self.walk(&mut |operation| {
            let all = dependencies(operation).into_iter();
            found.extend(all.filter(|dependency| family.mine(&dependency.name, 0).is_none()));
        });
        found
    }

    /// Calls `each` for every operation, including those of fan-outs inside.
    fn walk(&self, each: &mut dyn FnMut(&Operation)) {
        let mut open: Vec<Cow<'_, Operation>> = self.operations.iter().map(Cow::Borrowed).collect();
        while let Some(operation) = open.pop() {
            each(&operation);
            if let Ok(Some(fan_out)) = Self::of(&operation) {
                open.extend(fan_out.operations.into_iter().map(Cow::Owned));
            }
        }
    }

    /// Name of the item's token.
    pub fn item_token(&self) -> &str {
        self.item.as_deref().unwrap_or(ITEM)
    }
}

/// The names of a family.
pub(crate) struct Family<'f> {
    stem: &'f str,
    item: &'f str,
    index: String,
    /// Names of the operations, including those of fan-outs inside.
    names: HashSet<String>,
    /// Stems of families inside.
    inner: HashSet<String>,
}

impl<'f> Family<'f> {
    pub(crate) fn new(fan_out: &'f FanOut) -> Self {
        let (mut names, mut inner) = (HashSet::new(), HashSet::new());
        fan_out.walk(&mut |operation| {
            let promises = Generator::of(operation).ok().flatten().map(|g| g.promises).unwrap_or_default();
            inner.extend(promises.iter().map(|promise| promise.stem().to_owned()));
            if operation.params.contains_key(keys::EACH) {
                inner.insert(operation.name.clone());
            }
            names.insert(operation.name.clone());
        });
        let item = fan_out.item_token();
        Self { stem: &fan_out.name, item, index: format!("{item}_index"), names, inner }
    }

    /// The name of a member for item `n`: `qc` → `qc.3`, `qc/probe` → `qc.3/probe`.
    fn item(&self, name: &str, n: usize) -> String {
        match name.strip_prefix(self.stem) {
            Some(rest) if rest.is_empty() || rest.starts_with(['/', '.']) => {
                format!("{}.{n}{rest}", self.stem)
            }
            _ => format!("{name}.{n}"),
        }
    }

    /// As [`item`](Self::item); none for names outside of the family.
    fn mine(&self, name: &str, n: usize) -> Option<String> {
        let of = |name: &str| self.names.contains(name) || self.inner.contains(name);
        let inner = || name.rsplit_once('.').is_some_and(|(stem, _)| self.inner.contains(stem));
        (of(name) || inner()).then(|| self.item(name, n))
    }

    fn instance(&self, operation: &Operation, n: usize, item: Item<'_>) -> Operation {
        let replace = |token: &Token<'_>| {
            if token.name == self.item {
                return reached(item, token);
            }
            if token.name == self.index {
                return Some(Value::from(n));
            }
            let new = self.mine(operation_of(token.name)?, n)?;
            Some(Value::from(format!("@<{new}.out{}", &token.text[2 + token.name.len()..])))
        };
        let fill = |value: &Value| reference::rewrite(value.clone(), &replace);
        let mut params: Params =
            operation.params.iter().map(|(key, value)| (key.clone(), fill(value))).collect();
        if self.names.len() > 1 {
            rename(&mut params, &|name| self.mine(name, n));
        }
        Operation {
            name: self.item(&operation.name, n),
            kind: operation.kind.clone(),
            id: operation.id.clone(),
            payload: fill(&operation.payload),
            params,
        }
    }

    /// A token of the item that is still in an operation, and its part: `payload` or `params`.
    pub(crate) fn left_over(&self, operation: &Operation) -> Option<(&'static str, String)> {
        let parts = operation.params.values().map(|value| ("params", value));
        for (field, value) in std::iter::once(("payload", &operation.payload)).chain(parts) {
            let mut left = None;
            reference::scan(value, &mut |_, _, token| {
                if token.name == self.item {
                    left.get_or_insert_with(|| token.text.to_owned());
                }
            });
            if let Some(token) = left {
                return Some((field, token));
            }
        }
        None
    }
}

/// Whether a template's operation fans out with a condition on the item.
pub(crate) fn asks_its_item(params: &Params) -> bool {
    let mut asks = false;
    if params.contains_key(keys::EACH)
        && !params.contains_key(keys::FAN_OUT)
        && let Some(when) = params.get(keys::WHEN)
    {
        reference::scan(when, &mut |_, _, token| asks |= matches!(token.name, ITEM | "pop.each_index"));
    }
    asks
}

/// The same fan-out with one more condition, evaluated once and before those of the items.
pub(crate) fn with_condition(mut operation: Operation, when: Value) -> Operation {
    let mut params = Params::new();
    for key in [keys::DEPENDS_ON, keys::EACH] {
        params.extend(operation.params.shift_remove(key).map(|value| (key.to_owned(), value)));
    }
    let name = operation.name.clone();
    let fan_out = FanOut { name: name.clone(), item: None, operations: vec![operation] };
    params.insert(keys::FAN_OUT.into(), serde_json::to_value(fan_out).unwrap_or_default());
    params.insert(keys::WHEN.into(), when);
    Operation { name, kind: FAN_OUT_TYPE.into(), params, ..Operation::default() }
}

/// Renames operations in an operation's parameters: in `dependsOn`, in the promises of a generator, and in the
/// operations of a fan-out.
pub(crate) fn rename(params: &mut Params, new: &dyn Fn(&str) -> Option<String>) {
    let renamed = |name: &mut String| {
        if let Some(new) = new(name) {
            *name = new;
        }
    };
    let mut open = vec![params];
    while let Some(params) = open.pop() {
        for (key, value) in params.iter_mut() {
            match (key.as_str(), value) {
                (keys::DEPENDS_ON, Value::String(text)) => {
                    let names: Vec<String> = text
                        .split(',')
                        .map(|name| new(name.trim()).unwrap_or_else(|| name.trim().to_owned()))
                        .collect();
                    *text = names.join(",");
                }
                (keys::DEPENDS_ON, Value::Array(names)) => {
                    for name in names {
                        if let Value::String(name) = name {
                            renamed(name);
                        }
                    }
                }
                (keys::GENERATOR, Value::Object(generator)) => {
                    let names = generator.get_mut("names").and_then(Value::as_array_mut);
                    for name in names.into_iter().flatten() {
                        let Value::String(name) = name else { continue };
                        match name.strip_suffix(".*") {
                            Some(stem) => {
                                *name = format!("{}.*", new(stem).unwrap_or_else(|| stem.to_owned()));
                            }
                            None => renamed(name),
                        }
                    }
                }
                (keys::FAN_OUT, Value::Object(fan_out)) => {
                    if let Some(Value::String(name)) = fan_out.get_mut("name") {
                        renamed(name);
                    }
                    let operations = fan_out.get_mut("operations").and_then(Value::as_array_mut);
                    for operation in operations.into_iter().flatten() {
                        if let Some(Value::String(name)) = operation.get_mut("name") {
                            renamed(name);
                        }
                        open.extend(operation.get_mut("params").and_then(Value::as_object_mut));
                    }
                }
                _ => {}
            }
        }
    }
}

fn reached(item: Item<'_>, token: &Token<'_>) -> Option<Value> {
    match item {
        Item::Written(root) => dig(root, &token.path(), token.fallback()),
        Item::Given(root) => {
            let default = token.default_value();
            let found = follow(root, &token.path()).filter(|value| !value.is_null() || default.is_none());
            found.cloned().or(default).map(escaped)
        }
    }
}

/// Kind of a value, for people.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
