//! `kubernetes` and `secrets` of an operation type: into the form of agendas, with the place of each setting.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::{Decoder, quoted, take};
use crate::agenda::{KubernetesSpec, SecretKey};
use crate::catalog::kubernetes::{Form, Group, KUBERNETES, in_agenda};
use crate::diagnostic::Location;
use crate::rules::{Places, escaped};
use crate::source::{Span, Spanned};
use crate::tree::{Entry, Node, Tree};
use crate::{budget, canonical, rules};

/// Places of the settings of an operation type in a file: pointer in the agenda → key and value.
#[derive(Default)]
pub(super) struct InFile {
    places: HashMap<String, (Span, Span)>,
    /// Pointers of settings that could not be read.
    unread: HashSet<String>,
}

impl InFile {
    pub(super) fn add(&mut self, pointer: String, key: Span, value: Span) {
        self.places.insert(pointer, (key, value));
    }

    fn find(&self, pointer: &str) -> (Span, Span) {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return *place;
            }
            let Some((parent, _)) = pointer.rsplit_once('/') else { return Default::default() };
            pointer = parent;
        }
    }
}

impl Places for InFile {
    fn has(&self, pointer: &str) -> bool {
        self.places.contains_key(pointer)
    }

    fn unread(&self, pointer: &str) -> bool {
        self.unread.contains(pointer)
    }

    fn key(&self, pointer: &str) -> Location {
        self.find(pointer).0.into()
    }

    fn value(&self, pointer: &str) -> Location {
        self.find(pointer).1.into()
    }

    fn name(&self, key: &'static str) -> &'static str {
        if key == "secretEnv" { "secrets" } else { key }
    }
}

impl Decoder<'_> {
    pub(super) fn kubernetes(&mut self, tree: Tree, places: &mut InFile) -> Option<Box<KubernetesSpec>> {
        let json = self.group(tree, &KUBERNETES, "/kubernetes", places)?;
        // the forms of the keys are those of the data model
        serde_json::from_value(json).ok().map(Box::new)
    }

    /// Recursion is bounded by the depth of the groups.
    fn group(&mut self, tree: Tree, group: &'static Group, at: &str, places: &mut InFile) -> Option<Json> {
        let mut settings = Map::new();
        let mut entries = self.table(tree, group.what)?;
        let known = group.names();
        for i in 0..entries.len() {
            let value = take(&mut entries[i]);
            let mut name = entries[i].key.value.as_str();
            loop {
                if let Some(key) = group.keys.iter().find(|key| key.name == name) {
                    let agenda = in_agenda(key.name);
                    let pointer = format!("{at}/{agenda}");
                    places.add(pointer.clone(), entries[i].key.span, value.span);
                    let what = format!("`{}`", key.name);
                    match self.form(value, &key.form, &what, &pointer, places) {
                        Some(value) => {
                            settings.insert(agenda, value);
                        }
                        None => {
                            places.unread.insert(pointer);
                        }
                    }
                } else if let Some(meant) = self.unknown_key(&entries, i, &value, group.what, &known) {
                    name = meant;
                    continue;
                }
                break;
            }
        }
        Some(Json::Object(settings))
    }

    fn form(&mut self, tree: Tree, form: &Form, what: &str, at: &str, places: &mut InFile) -> Option<Json> {
        match form {
            Form::Text | Form::Duration => self.fixed(tree, what).map(|text| text.value.into()),
            Form::Flag => self.flag(tree, what).map(Json::from),
            Form::Number => self.natural(tree, what),
            Form::Quantity => self.amount(tree, what),
            Form::OneOf(words) => {
                let word = self.string(tree, what)?;
                if words.contains(&word.value.as_str()) {
                    return Some(word.value.into());
                }
                self.out.push(rules::wrong_shape::word(&word, what, words));
                None
            }
            Form::Texts => {
                let items = match tree.node {
                    Node::String(_) => vec![tree],
                    _ => self.list(tree, what)?,
                };
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    let span = item.span;
                    if let Some(text) = self.fixed(item, &format!("an item of {what}")) {
                        places.add(format!("{at}/{}", texts.len()), span, span);
                        texts.push(Json::from(text.value));
                    }
                }
                Some(Json::Array(texts))
            }
            Form::TextMap | Form::QuantityMap => {
                let mut map = BTreeMap::new();
                for Entry { key, value } in self.table(tree, what)? {
                    let span = value.span;
                    let what = format!("a value of {what}");
                    let value = if matches!(form, Form::TextMap) {
                        self.fixed(value, &what).map(|text| text.value.into())
                    } else {
                        self.amount(value, &what)
                    };
                    places.add(format!("{at}/{}", escaped(&key.value)), key.span, span);
                    map.extend(value.map(|value| (key.value, value)));
                }
                Some(Json::Object(map.into_iter().collect()))
            }
            Form::Object => match tree.node {
                // the order of keys means nothing
                Node::Table(_) => Some(canonical::sorted(tree.to_json())),
                node => self.wrong_shape(&node, tree.span, what, "a table"),
            },
            Form::Table(group) => self.group(tree, group, at, places),
            Form::Tables(group) => {
                let mut tables = Vec::new();
                for item in self.list(tree, what)? {
                    let at = format!("{at}/{}", tables.len());
                    places.add(at.clone(), item.span, item.span);
                    tables.extend(self.group(item, group, &at, places));
                    budget::enforce(self.out);
                }
                Some(Json::Array(tables))
            }
        }
    }

    /// `{ TOKEN = "secret/key" }`
    pub(super) fn secret_env(&mut self, tree: Tree, places: &mut InFile) -> BTreeMap<String, SecretKey> {
        let mut secrets = BTreeMap::new();
        for Entry { key, value } in self.table(tree, "`secrets`").unwrap_or_default() {
            places.add(format!("/secretEnv/{}", escaped(&key.value)), key.span, value.span);
            let Some(text) = self.fixed(value, "an entry of `secrets`") else { continue };
            match text.value.parse() {
                Ok(secret) => {
                    secrets.insert(key.value, secret);
                }
                Err(_) => self.out.push(rules::bad_kubernetes_name::entry(&text)),
            }
            budget::enforce(self.out);
        }
        secrets
    }

    pub(super) fn flag(&mut self, tree: Tree, what: &str) -> Option<bool> {
        match tree.node {
            Node::Bool(flag) => Some(flag),
            Node::String(ref text) if ["true", "false"].contains(&text.value.as_str()) => {
                let finding = rules::wrong_shape::report(tree.span, what, "a boolean", "a string");
                let finding = finding.help(format!("write `{}`", text.value));
                self.out.push(finding.edit(tree.span, text.value.clone()));
                None
            }
            node => self.wrong_shape(&node, tree.span, what, "a boolean"),
        }
    }

    fn natural(&mut self, tree: Tree, what: &str) -> Option<Json> {
        match tree.node {
            Node::Number(n) if n.as_str().parse::<u32>().is_ok() => Some(Json::Number(n)),
            Node::Number(_) => {
                self.out.push(rules::wrong_shape::value(tree.span, what, "a whole number from 0"));
                None
            }
            node => match quoted(&node).filter(|n| u32::try_from(*n).is_ok()) {
                Some(number) => {
                    self.out.push(rules::wrong_shape::number_in_quotes(tree.span, what, number));
                    None
                }
                None => self.wrong_shape(&node, tree.span, what, "a whole number from 0"),
            },
        }
    }

    /// A text without references.
    fn fixed(&mut self, tree: Tree, what: &str) -> Option<Spanned<String>> {
        let text = self.plain(tree, what)?;
        let open = text.value.split_once("${").is_some_and(|(_, rest)| rest.contains('}'));
        (!open).then_some(text)
    }

    /// A quantity as it was written; its meaning is checked later.
    fn amount(&mut self, tree: Tree, what: &str) -> Option<Json> {
        match tree.node {
            Node::Number(n) => Some(n.to_string().into()),
            _ => self.fixed(tree, what).map(|text| text.value.into()),
        }
    }
}
