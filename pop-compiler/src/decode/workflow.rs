//! The file's top level: `[workflow]`, `[inputs]`, `[outputs]`, and the order in which the rest is read.

use std::borrow::Cow;

use hashbrown::{HashMap, hash_map};

use super::{Decoder, take};
use crate::ast::{Field, Input, Value, ValueKind, Workflow};
use crate::source::{Span, Spanned};
use crate::tree::{Entry, Node, Tree};
use crate::types::{Type, TypeExpr};
use crate::{budget, rules};

const TOP: &[&str] = &["workflow", "inputs", "types", "catalog", "operations", "outputs", "run"];
const WORKFLOW: &[&str] = &["name", "version", "description", "catalogs"];
const INPUT: &[&str] = &["type", "default", "description"];

impl Decoder<'_> {
    pub(super) fn workflow(mut self, tree: Tree) -> Workflow {
        let whole = tree.span;
        let start = Span { end: whole.start, ..whole };
        let readable = matches!(tree.node, Node::Table(_));
        let mut workflow =
            Workflow { operations_span: start, operations_unread: !readable, ..Workflow::default() };
        let mut entries = self.table(tree, "a workflow file").unwrap_or_default();
        if let Some(place) = agenda(&entries) {
            self.out.push(rules::wrong_shape::agenda(place));
            workflow.operations_unread = true;
            return workflow;
        }
        if super::catalog::is_catalog(&entries) {
            workflow.is_catalog = true;
            workflow.operations_unread = true;
            return workflow;
        }
        if entries.is_empty() && readable {
            self.out.push(rules::empty_workflow::nothing(start));
            workflow.operations_unread = true;
            return workflow;
        }
        self.sections(&mut entries, "a workflow file", TOP);
        let mut named = false;
        for Entry { key, value } in entries {
            match key.value.as_str() {
                "workflow" => {
                    named = true;
                    self.header(&mut workflow, &key, value);
                }
                "inputs" => workflow.inputs = self.inputs(value),
                "types" => workflow.types = self.type_defs(value),
                "catalog" => workflow.operation_types = self.operation_types(value, "`catalog`"),
                "operations" => {
                    workflow.operations_span = key.span;
                    workflow.operations_unread = !matches!(value.node, Node::Table(_));
                    self.operations(&mut workflow, value);
                }
                "outputs" => workflow.outputs = self.fields(value, "`outputs`"),
                "run" => workflow.run = self.run(value),
                _ => {} // `$schema`; `sections` has told the others
            }
        }
        if !named && readable {
            self.out.push(rules::missing_key::report(
                start,
                "the file",
                "workflow",
                "[workflow]\nname = \"…\"",
            ));
        }
        workflow.references = self.next_id;
        workflow.nests = self.nests;
        workflow.foreign = self.foreign;
        workflow.unread = self.unread;
        workflow
    }

    fn header(&mut self, workflow: &mut Workflow, key: &Spanned<String>, value: Tree) {
        let readable = matches!(value.node, Node::Table(_));
        let mut named = false;
        let mut entries = self.table(value, "`workflow`").unwrap_or_default();
        for i in 0..entries.len() {
            let value = take(&mut entries[i]);
            let mut key = entries[i].key.value.as_str();
            loop {
                match key {
                    "name" => {
                        named = true;
                        if let Some(name) = self.string(value, "`name`") {
                            if name.value.trim().is_empty() {
                                self.out.push(rules::reserved_name::empty(name.span, "a workflow"));
                            }
                            workflow.name = name;
                        }
                    }
                    "version" => {
                        workflow.version = self.string(value, "`version`");
                        self.out.extend(workflow.version.as_ref().and_then(rules::bad_version::check));
                    }
                    "description" => {
                        workflow.description = self.string(value, "`description`").map(|s| s.value);
                    }
                    "catalogs" => {
                        let before = self.out.len();
                        workflow.catalogs = self.strings(value, "`catalogs`");
                        workflow.catalogs_unread = self.out.len() > before;
                    }
                    _ => {
                        if let Some(meant) = self.unknown_key(&entries, i, &value, "`[workflow]`", WORKFLOW) {
                            key = meant;
                            continue;
                        }
                    }
                }
                break;
            }
        }
        if !named && readable {
            self.out.push(rules::missing_key::report(key.span, "`[workflow]`", "name", "name = \"…\""));
        }
    }

    fn inputs(&mut self, tree: Tree) -> Vec<Input> {
        let entries = self.table(tree, "`inputs`").unwrap_or_default();
        let inputs: Vec<Input> = entries.into_iter().map(|e| self.input(e)).collect();
        self.fit_names(inputs.iter().map(|input| &input.name), "an input");
        inputs
    }

    pub(super) fn input(&mut self, Entry { key: name, value }: Entry) -> Input {
        let unknown = |span| Spanned::new(TypeExpr { ty: Type::Error, names: Vec::new() }, span);
        let span = value.span;
        if let Node::String(_) = value.node {
            let ty = self.type_expr(value).map_or_else(|| unknown(span), |ty| Spanned::new(ty, span));
            return Input { name, ty, default: None, description: None };
        }
        let readable = matches!(value.node, Node::Table(_));
        let what = format!("the input `{}`", name.value);
        let mut entries = match value.node {
            // kept apart from `table`, since `default = null` means something
            Node::Table(table) => table.entries,
            node => {
                self.wrong_shape(&node, span, &what, "a type, or a table with `type`").unwrap_or_default()
            }
        };
        let first = entries.first().map(|entry| entry.key.span);
        let mut input = Input { ty: unknown(span), name, default: None, description: None };
        let (mut typed, mut known) = (false, true);
        for i in 0..entries.len() {
            let value = take(&mut entries[i]);
            let mut key = entries[i].key.value.as_str();
            loop {
                match key {
                    "type" => {
                        typed = true;
                        let span = value.span;
                        input.ty =
                            self.type_expr(value).map_or_else(|| unknown(span), |ty| Spanned::new(ty, span));
                    }
                    "default" => input.default = Some(self.value(value)),
                    "description" => input.description = self.string(value, "`description`").map(|s| s.value),
                    _ => {
                        known = false;
                        if let Some(meant) = self.unknown_key(&entries, i, &value, &what, INPUT) {
                            key = meant;
                            continue;
                        }
                    }
                }
                break;
            }
        }
        if !typed && readable {
            let ty = input.default.as_ref().and_then(type_of_default);
            self.out.push(match (ty, first) {
                (Some((ty, certain)), Some(first)) => {
                    // an unknown key may be the type
                    let first = (certain && known).then_some(first);
                    rules::missing_key::type_of_input(input.name.span, &what, ty, first)
                }
                _ => rules::missing_key::report(input.name.span, &what, "type", "type = \"string\""),
            });
        }
        input
    }

    /// A table of names and values.
    pub(super) fn fields(&mut self, tree: Tree, what: &str) -> Vec<Field> {
        let entries = match tree.node {
            Node::Table(table) => table.entries,
            node => self.table(Tree { node, span: tree.span }, what).unwrap_or_default(),
        };
        let fields: Vec<Field> =
            entries.into_iter().map(|e| Field { name: e.key, value: self.value(e.value) }).collect();
        self.fit_names(fields.iter().map(|field| &field.name), "an output");
        fields
    }

    /// Reports names that are empty, or differ only in letter case.
    fn fit_names<'n>(&mut self, names: impl Iterator<Item = &'n Spanned<String>> + Clone, what: &str) {
        for name in names.clone().filter(|name| name.value.is_empty()) {
            self.out.push(rules::reserved_name::empty(name.span, what));
        }
        if !names.clone().all(|name| is_lower(&name.value)) {
            self.same_but_for_case(names);
        }
    }

    /// Reports names that differ only in letter case; the first stays.
    pub(super) fn same_but_for_case<'n>(&mut self, names: impl Iterator<Item = &'n Spanned<String>>) {
        let mut seen: HashMap<Cow<'n, str>, Span> = HashMap::with_capacity(names.size_hint().0);
        for name in names {
            let folded = if is_lower(&name.value) {
                Cow::Borrowed(name.value.as_str())
            } else {
                Cow::Owned(name.value.to_lowercase())
            };
            match seen.entry(folded) {
                hash_map::Entry::Occupied(first) => {
                    self.out.push(rules::duplicate_name::case(name, *first.get()));
                    budget::enforce(self.out);
                }
                hash_map::Entry::Vacant(new) => {
                    new.insert(name.span);
                }
            }
        }
    }
}

/// Where the list of operations of an agenda is, or the agenda of a template, if the file is one.
fn agenda(entries: &[Entry]) -> Option<Span> {
    let find = |name: &str| entries.iter().find(|entry| entry.key.value == name);
    if find("workflow").is_some() {
        return None;
    }
    let template = find("agenda").filter(|entry| matches!(entry.value.node, Node::Table(_)));
    let typed = |item: &Tree| matches!(&item.node, Node::Table(table) if table.entries.iter().any(|e| e.key.value == "type"));
    let listed = find("operations")
        .filter(|entry| matches!(&entry.value.node, Node::List(items) if items.iter().any(typed)));
    template.or(listed).map(|entry| entry.key.span)
}

/// Whether a name has no letter that could be smaller.
pub(super) fn is_lower(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase())
}

/// The type that a default is of, when that is a plain one, and whether it can be no other: a text may be a path or a
/// length of time, a whole number a float.
fn type_of_default(default: &Value) -> Option<(&'static str, bool)> {
    match &default.kind {
        ValueKind::Bool(_) => Some(("bool", true)),
        ValueKind::Number(n) if n.is_i64() => Some(("int", false)),
        ValueKind::Number(n) => Some(("float", !n.is_u64())),
        ValueKind::Text(template) => template.as_text().map(|_| ("string", false)),
        _ => None,
    }
}
