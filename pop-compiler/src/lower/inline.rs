//! Sub-workflows: the operations of a template take the place of the one that names it, and references follow.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use crate::agenda::{self, Agenda, AgendaTemplate, Operation, Params, keys};
use crate::generator::{FAN_OUT_TYPE, FanOut, asks_its_item, rename, with_condition};
use crate::reference::{self, Fallback, Reference, Token, dig, operation_of};

/// The token of a fan-out's item.
const ITEM: &str = "pop.each";

/// Parts of values that sub-workflows may put in: a value that each of a row of them uses twice would fill all memory.
const MAX_PARTS: usize = 8_000_000;

/// So much text, in bytes, counts as a part.
const TEXT: usize = 64;

/// What is known of the sub-workflows that were put in so far.
pub(super) struct Inlined {
    /// Those that stand there once, by the name of their place.
    placed: HashMap<String, Placed>,
    /// Operations that give outputs, which are still to be added before what reads them.
    givers: RefCell<Vec<Operation>>,
    /// The names of all that were made.
    giving: RefCell<HashSet<String>>,
    /// Parts that may still be put in; none once there was too much, and what was made then is not to be used.
    left: Cell<Option<usize>>,
}

/// A sub-workflow that was put in.
struct Placed {
    /// Its outputs, in terms of the whole.
    outputs: Json,
    /// The operations of it that none of its own waits for: they have all ended when it has.
    last: Vec<String>,
    /// Its condition, in terms of the whole.
    when: Option<Json>,
    /// The names of its operations, in lower case.
    names: HashSet<String>,
}

/// The operation in whose place a template is put.
pub(super) struct Place<'p> {
    pub(super) name: &'p str,
    /// Its inputs, absent ones included.
    pub(super) with: Json,
    pub(super) when: Option<Json>,
    pub(super) after: Vec<&'p str>,
}

/// How a workflow stands there once for each item of a list.
pub(super) struct Each<'e> {
    pub(super) list: Json,
    /// Outputs that may be absent: an operation that is skipped leaves a null there.
    pub(super) optional: &'e dyn Fn(&str) -> bool,
}

impl Inlined {
    pub(super) fn new() -> Self {
        Self {
            placed: HashMap::new(),
            givers: RefCell::default(),
            giving: RefCell::default(),
            left: Cell::new(Some(MAX_PARTS)),
        }
    }

    /// Operations that the latest ones depend on; they are placed before those.
    pub(super) fn givers(&self) -> Vec<Operation> {
        self.givers.take()
    }

    /// Whether there was too much to put in.
    pub(super) fn is_full(&self) -> bool {
        self.left.get().is_none()
    }

    /// Counts a value that is put in.
    fn counted(&self, value: Json) -> Json {
        self.left.set(self.left.get().and_then(|left| left.checked_sub(parts(&value))));
        if self.is_full() { Json::Null } else { value }
    }

    /// A value of a template in terms of the workflow that it is put into.
    fn inside(&self, name: &str, with: &Json, value: &Json) -> Json {
        if self.is_full() {
            return Json::Null;
        }
        self.counted(reference::rewrite(value.clone(), &|token| {
            if operation_of(token.name).is_some() {
                let rest = &token.text[2..];
                return Some(Json::from(format!("@<{name}/{rest}")));
            }
            match token.name {
                "pop.payload" | "pop.transformRequest" => Some(self.reached(with, token)),
                other => {
                    if let Some(own) = other.strip_prefix(ITEM).and_then(|own| own.strip_prefix('.')) {
                        let rest = &token.text[2 + other.len()..];
                        return Some(Json::from(format!("@<{ITEM}.{name}/{own}{rest}")));
                    }
                    let input = with.get(other)?;
                    Some(self.reached(input, token))
                }
            }
        }))
    }

    /// What a token leads to in a value that may hold references; null when nothing is there.
    fn reached(&self, root: &Json, token: &Token<'_>) -> Json {
        if self.is_full() {
            return Json::Null;
        }
        self.counted(dig(root, &token.path(), token.fallback()).unwrap_or_default())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.placed.is_empty()
    }

    /// A value of the outer workflow with the outputs of sub-workflows in it.
    pub(super) fn value(&self, value: Json) -> Json {
        if self.is_empty() {
            return value;
        }
        reference::rewrite(value, &|token| {
            let name = operation_of(token.name)?;
            let placed = self.placed.get(name)?;
            Some(match dig(&placed.outputs, &token.path(), None) {
                Some(value) if !placed.gives(name, &value) || (token.copes() && is_family(&value)) => {
                    self.given(name, placed, token)
                }
                _ => self.reached(&placed.outputs, token),
            })
        })
    }

    /// A reference to an operation that gives an output (or all of them) of a sub-workflow when that has ended, and is
    /// skipped when it is.
    fn given(&self, place: &str, placed: &Placed, token: &Token<'_>) -> Json {
        let mut path = token.path();
        let (mut name, value) = if path.is_empty() {
            (format!("{place}/output"), placed.outputs.clone())
        } else {
            let field = path.remove(0);
            (format!("{place}/{field}.output"), placed.outputs.get(&field).cloned().unwrap_or_default())
        };
        while placed.names.contains(&name.to_lowercase()) {
            name.push('_');
        }
        if self.giving.borrow_mut().insert(name.clone()) {
            let last = depends_on(placed.last.iter().map(String::as_str).collect());
            let when = placed.when.clone().map(|when| (keys::WHEN.to_owned(), when));
            let payload = Json::Object(Map::from_iter([("value".to_owned(), self.counted(value))]));
            self.givers.borrow_mut().push(Operation {
                name: name.clone(),
                kind: "pop.transform".into(),
                payload,
                params: last.into_iter().chain(when).collect(),
                ..Operation::default()
            });
        }
        Json::from(Reference { name: format!("{name}.out"), path, default: token.fallback() }.to_string())
    }

    /// Names of operations, with the last ones of a sub-workflow instead of its own.
    pub(super) fn names<'n>(&'n self, names: &[&'n str]) -> Vec<&'n str> {
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            match self.placed.get(*name) {
                Some(placed) => all.extend(placed.last.iter().map(String::as_str)),
                None => all.push(*name),
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Puts a template in the place of an operation that fans out: an operation that makes all of it for each item, and one
    /// besides that gives its outputs, so that the items of `qc` are `qc.0`, `qc.1`, … as for any other fan-out.
    pub(super) fn put_each(
        &mut self,
        place: &Place<'_>,
        each: Each<'_>,
        template: &AgendaTemplate,
    ) -> Operation {
        let token = format!("{ITEM}.{}", place.name);
        let scoped = |value: &Json| {
            reference::rewrite(value.clone(), &|found| {
                let new = match found.name {
                    ITEM => token.clone(),
                    "pop.each_index" => format!("{token}_index"),
                    _ => return None,
                };
                Some(Json::from(format!("@<{new}{}", &found.text[2 + found.name.len()..])))
            })
        };
        let (list, when) = (self.value(each.list), place.when.clone().map(|when| self.value(when)));
        let mut params = Params::new();
        params.extend(depends_on(self.names(&place.after)));
        params.insert(keys::EACH.into(), list);
        // A condition on the item is asked for each item, any other once.
        let (outer, inner) = match when.filter(|when| *when != Json::Bool(true)) {
            Some(when) if scoped(&when) != when => (None, Some(scoped(&when))),
            when => (when, None),
        };
        let inner = Place { name: place.name, with: scoped(&place.with), when: inner, after: Vec::new() };
        let mut operations = Vec::new();
        self.put(&inner, template, &mut operations);
        let placed = self.placed.remove(place.name);
        let Some(Placed { outputs, last, when, .. }) = placed else { return Operation::default() };
        let outputs = or_null(place.name, outputs, each.optional, &mut operations);
        let last = depends_on(last.iter().map(String::as_str).collect());
        let when = when.map(|when| (keys::WHEN.to_owned(), when));
        operations.push(Operation {
            name: place.name.to_owned(),
            kind: "pop.transform".into(),
            payload: Json::Object(Map::from_iter([("value".to_owned(), outputs)])),
            params: last.into_iter().chain(when).collect(),
            ..Operation::default()
        });
        let fan_out = FanOut { name: place.name.to_owned(), item: Some(token), operations };
        params.insert(keys::FAN_OUT.into(), serde_json::to_value(fan_out).unwrap_or_default());
        params.extend(outer.map(|when| (keys::WHEN.to_owned(), when)));
        let name = place.name.to_owned();
        Operation { name, kind: FAN_OUT_TYPE.into(), params, ..Operation::default() }
    }

    /// Puts a template in the place of an operation.
    pub(super) fn put(&mut self, place: &Place<'_>, template: &AgendaTemplate, out: &mut Vec<Operation>) {
        let Agenda { operations, params, .. } = &template.agenda;
        let with = self.value(place.with.clone());
        let inside = |value: &Json| self.inside(place.name, &with, value);
        let when = place.when.clone().map(|when| self.value(when)).filter(|when| *when != Json::Bool(true));
        let names: HashSet<&str> = operations.iter().map(|o| o.name.as_str()).collect();
        let mut waited: HashSet<String> = HashSet::new();
        for operation in operations {
            let dependencies = agenda::dependencies(operation);
            waited.extend(dependencies.iter().map(|d| stem(&d.name, &names)));
            let name = format!("{}/{}", place.name, operation.name);
            let mut params = Params::new();
            let own: Vec<String> = order(operation).iter().map(|n| format!("{}/{n}", place.name)).collect();
            let mut after: Vec<&str> = own.iter().map(String::as_str).collect();
            if dependencies.is_empty() {
                after.extend(self.names(&place.after));
            }
            params.extend(depends_on(after));
            for (key, value) in operation.params.iter().filter(|(key, _)| *key != keys::DEPENDS_ON) {
                let mut value = inside(value);
                if key == keys::FAN_OUT {
                    rescope(&mut value, place.name);
                }
                params.insert(key.clone(), value);
            }
            rename_made(&mut params, &|name| Some(format!("{}/{name}", place.name)));
            if let Some(when) = when.as_ref().filter(|_| asks_its_item(&params)) {
                let (kind, payload) = (operation.kind.clone(), inside(&operation.payload));
                let operation = Operation { name, kind, payload, params, ..Operation::default() };
                out.push(with_condition(operation, when.clone()));
                continue;
            }
            match (&when, params.get(keys::WHEN).cloned()) {
                (None, _) => {}
                (Some(when), None) => {
                    params.insert(keys::WHEN.into(), when.clone());
                }
                (Some(when), Some(own)) => {
                    // both must hold: one operation asks for the first and hands on the second
                    let gate = format!("{name}.when");
                    let condition = Params::from_iter([(keys::WHEN.to_owned(), when.clone())]);
                    out.push(Operation {
                        name: gate.clone(),
                        kind: "pop.transform".into(),
                        payload: Json::Object(Map::from_iter([("value".to_owned(), own)])),
                        params: condition,
                        ..Operation::default()
                    });
                    let token = Reference { name: format!("{gate}.out"), path: Vec::new(), default: None };
                    params.insert(keys::WHEN.into(), token.to_string().into());
                }
            }
            let mut sorted: Vec<(String, Json)> = params.into_iter().collect();
            sorted.sort_by_key(|(key, _)| (key != keys::DEPENDS_ON, key.clone()));
            out.push(Operation {
                name,
                kind: operation.kind.clone(),
                payload: inside(&operation.payload),
                params: sorted.into_iter().collect(),
                ..Operation::default()
            });
        }
        let last = operations.iter().filter(|o| !waited.contains(&o.name));
        let last = last.map(|o| format!("{}/{}", place.name, o.name)).collect();
        let outputs = params.get(keys::RESULT).map_or(Json::Object(Map::new()), inside);
        let names = operations.iter().map(|o| format!("{}/{}", place.name, o.name).to_lowercase()).collect();
        self.placed.insert(place.name.to_owned(), Placed { outputs, last, when, names });
    }
}

impl Placed {
    /// Whether a part of its outputs is only there when it was not skipped, and when what gives that part has not failed:
    /// an operation of it gives it. Of one with a condition, it must be one without which the part would not be there.
    fn gives(&self, place: &str, part: &Json) -> bool {
        let mut gives = false;
        reference::scan(part, &mut |_, _, token| {
            let own = operation_of(token.name).and_then(|name| name.strip_prefix(place));
            let needed = !token.copes() && !token.is_family();
            gives |= own.is_some_and(|own| own.starts_with('/')) && (needed || self.when.is_none());
        });
        gives
    }
}

/// Whether a value is the list of what all items of a fan-out give: a default for it would stand in for each of them.
fn is_family(value: &Json) -> bool {
    value.as_str().and_then(reference::whole).is_some_and(|token| token.is_family())
}

/// What a fan-out makes, under other names.
fn rename_made(params: &mut Params, new: &dyn Fn(&str) -> Option<String>) {
    if params.contains_key(keys::FAN_OUT) {
        let own = params.shift_remove(keys::DEPENDS_ON);
        rename(params, new);
        if let Some(own) = own {
            params.shift_insert(0, keys::DEPENDS_ON.to_owned(), own);
        }
    }
}

/// The item's token of a fan-out that is put into a workflow, and of those inside it, get that workflow's name: another one
/// around it may be called the same.
fn rescope(fan_out: &mut Json, place: &str) {
    let mut open = vec![fan_out];
    while let Some(fan_out) = open.pop() {
        if let Some(Json::String(item)) = fan_out.get_mut("item")
            && let Some(own) = item.strip_prefix(ITEM).and_then(|own| own.strip_prefix('.'))
        {
            *item = format!("{ITEM}.{place}/{own}");
        }
        let operations = fan_out.get_mut("operations").and_then(Json::as_array_mut);
        open.extend(
            operations.into_iter().flatten().filter_map(|o| o.get_mut("params")?.get_mut(keys::FAN_OUT)),
        );
    }
}

/// The outputs of one item of a workflow that fans out. One that may be absent is null when an operation that it needs
/// was skipped; where a default can't say that, an operation of its own that is skipped as well does.
fn or_null(
    place: &str,
    mut outputs: Json,
    optional: &dyn Fn(&str) -> bool,
    out: &mut Vec<Operation>,
) -> Json {
    let Json::Object(fields) = &mut outputs else { return outputs };
    for (field, value) in fields.iter_mut().filter(|(field, _)| optional(field)) {
        let mut waits = false;
        reference::scan(value, &mut |_, _, token| waits |= operation_of(token.name).is_some());
        if !waits {
            continue;
        }
        let one = value.as_str().and_then(reference::whole);
        let plain = |t: &Token<'_>| matches!(t.fallback(), None | Some(Fallback::Lacking(Json::Null)));
        let one = one.filter(|t| plain(t) && !t.is_family());
        let (name, path) = if let Some(token) = one {
            (token.name.to_owned(), token.path())
        } else {
            let mut name = format!("{place}/{field}.output");
            while out.iter().any(|operation| operation.name.eq_ignore_ascii_case(&name)) {
                name.push('_');
            }
            let payload = Json::Object(Map::from_iter([("value".to_owned(), value.take())]));
            let token = format!("{name}.out");
            out.push(Operation { name, kind: "pop.transform".into(), payload, ..Operation::default() });
            (token, Vec::new())
        };
        *value = Json::from(Reference { name, path, default: Some(Fallback::Value(Json::Null)) }.to_string());
    }
    outputs
}

/// `dependsOn` for these names. A comma-separated text is what every reader of agendas knows; odd names need the list.
pub(super) fn depends_on(mut names: Vec<&str>) -> Option<(String, Json)> {
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let plain = names.iter().all(|n| !n.contains(',') && n.trim() == *n);
    let value = if plain { Json::from(names.join(",")) } else { Json::from(names) };
    Some((keys::DEPENDS_ON.to_owned(), value))
}

/// The operation that a name stands for: itself, or the fan-out of which it is an item.
fn stem(name: &str, names: &HashSet<&str>) -> String {
    let base = name.rsplit_once('.').filter(|(_, n)| *n == "*" || n.parse::<usize>().is_ok());
    match base {
        Some((base, _)) if !names.contains(name) => base.to_owned(),
        _ => name.to_owned(),
    }
}

fn order(operation: &Operation) -> Vec<String> {
    let mut names = Vec::new();
    agenda::mentions(operation, &mut |mention| {
        if mention.token.is_none() {
            names.push(mention.name.to_owned());
        }
    });
    names
}

/// How many parts a value has.
fn parts(value: &Json) -> usize {
    let (mut count, mut open) = (0, vec![value]);
    while let Some(value) = open.pop() {
        count += 1;
        match value {
            Json::String(text) => count += text.len() / TEXT,
            Json::Array(items) => open.extend(items),
            Json::Object(map) => {
                count += map.keys().map(|key| key.len() / TEXT).sum::<usize>();
                open.extend(map.values());
            }
            _ => {}
        }
    }
    count
}
