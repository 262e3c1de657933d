//! Sub-workflows: the operations of a template take the place of the one that names it, and references follow.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use crate::agenda::{Agenda, AgendaTemplate, Operation, Params, keys};
use crate::graph;
use crate::reference::{self, Reference, Token, follow, operation_of};

/// What is known of the sub-workflows that were put in so far.
#[derive(Default)]
pub(super) struct Inlined {
    /// The outputs of each, in terms of the whole.
    outputs: HashMap<String, Json>,
    /// The operations of each that none of its own waits for: they have all ended when it has.
    last: HashMap<String, Vec<String>>,
}

/// The operation in whose place a template is put.
pub(super) struct Place<'p> {
    pub(super) name: &'p str,
    /// Its inputs, absent ones included.
    pub(super) with: Json,
    pub(super) when: Option<Json>,
    pub(super) after: Vec<&'p str>,
}

impl Inlined {
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// A value of the outer workflow with the outputs of sub-workflows in it.
    pub(super) fn value(&self, value: &Json) -> Json {
        if self.is_empty() {
            return value.clone();
        }
        reference::rewrite(value, &|token| {
            let outputs = self.outputs.get(operation_of(token.name)?)?;
            Some(dig(outputs, &token.path(), token.default_value()))
        })
    }

    /// Names of operations, with the last ones of a sub-workflow instead of its own.
    pub(super) fn names<'n>(&'n self, names: &[&'n str]) -> Vec<&'n str> {
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            match self.last.get(*name) {
                Some(last) => all.extend(last.iter().map(String::as_str)),
                None => all.push(*name),
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Puts a template in the place of an operation.
    pub(super) fn put(&mut self, place: &Place<'_>, template: &AgendaTemplate, out: &mut Vec<Operation>) {
        let Agenda { operations, params, .. } = &template.agenda;
        let with = self.value(&place.with);
        let inside = |value: &Json| inside(place.name, &with, value);
        let when = place.when.as_ref().map(|when| self.value(when)).filter(|when| *when != Json::Bool(true));
        let names: HashSet<&str> = operations.iter().map(|o| o.name.as_str()).collect();
        let mut waited: HashSet<String> = HashSet::new();
        for operation in operations {
            let dependencies = graph::dependencies(operation);
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
                params.insert(key.clone(), inside(value));
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
        self.last.insert(place.name.to_owned(), last);
        let outputs = params.get(keys::RESULT).map_or(Json::Object(Map::new()), inside);
        self.outputs.insert(place.name.to_owned(), outputs);
    }
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
    graph::mentions(operation, &mut |mention| {
        if mention.token.is_none() {
            names.push(mention.name.to_owned());
        }
    });
    names
}

/// A value of a template in terms of the workflow that it is put into.
fn inside(name: &str, with: &Json, value: &Json) -> Json {
    reference::rewrite(value, &|token| {
        if operation_of(token.name).is_some() {
            let rest = &token.text[2..];
            return Some(Json::from(format!("@<{name}/{rest}")));
        }
        match token.name {
            "pop.payload" | "pop.transformRequest" => Some(dig(with, &token.path(), token.default_value())),
            other => {
                let input = with.get(other)?;
                Some(dig(input, &token.path(), token.default_value()))
            }
        }
    })
}

/// What a path leads to in a value that may hold references: it may go on inside one of them.
fn dig(root: &Json, path: &[String], default: Option<Json>) -> Json {
    let fallback = |default: Option<Json>| default.map_or(Json::Null, reference::escaped);
    let mut at = root;
    for (i, step) in path.iter().enumerate() {
        if let Json::String(text) = at
            && let Some(token) = reference::whole(text)
        {
            return go_on(&token, &path[i..], default);
        }
        match follow(at, std::slice::from_ref(step)) {
            Some(next) => at = next,
            None => return fallback(default),
        }
    }
    match at {
        Json::Null => fallback(default),
        Json::String(text) => match reference::whole(text) {
            Some(token) => go_on(&token, &[], default),
            None => at.clone(),
        },
        _ => at.clone(),
    }
}

/// A reference that follows `path` further.
fn go_on(token: &Token<'_>, path: &[String], default: Option<Json>) -> Json {
    let (mut name, mut path) = (token.name.to_owned(), path);
    if let Some(base) = token.name.strip_suffix(".*.out")
        && let Some((index, rest)) = path.split_first()
    {
        // an item of all is one item
        name = format!("{base}.{index}.out");
        path = rest;
    }
    let own = token.default_value();
    let own = if path.is_empty() { own } else { own.and_then(|own| follow(&own, path).cloned()) };
    let whole = token.path().into_iter().chain(path.iter().cloned()).collect();
    Json::String(Reference { name, path: whole, default: own.or(default) }.to_string())
}
