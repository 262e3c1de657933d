//! From a [`Tree`] to the workflow as written: which keys there are and what shape each has. All faults at once; names
//! are not resolved here.

mod catalog;
mod kubernetes;
mod operation;
mod run;
mod settings;
mod types;
mod value;
mod workflow;

use std::fmt;
use std::mem;

use crate::ast::{Foreign, OperationTypeDef, TypeDef, Workflow};
use crate::budget;
use crate::diagnostic::Diagnostic;
use crate::rules;
use crate::source::{FileId, Span, Spanned};
use crate::tree::{Entry, KeyIndex, Node, Tree};

/// Texts under unknown keys that are kept.
const MAX_UNREAD: usize = 1_000;

/// What a catalog file holds.
#[derive(Debug, Default)]
pub(crate) struct CatalogFile {
    pub(crate) types: Vec<TypeDef>,
    pub(crate) operation_types: Vec<OperationTypeDef>,
    /// It is a workflow, and nothing of it was read.
    pub(crate) is_workflow: bool,
}

/// Reads a workflow file.
pub(crate) fn workflow(file: FileId, tree: Tree, out: &mut Vec<Diagnostic>) -> Workflow {
    Decoder::new(file, out).workflow(tree)
}

/// Reads a catalog file.
pub(crate) fn catalog(file: FileId, tree: Tree, out: &mut Vec<Diagnostic>) -> CatalogFile {
    Decoder::new(file, out).catalog_file(tree)
}

struct Decoder<'o> {
    file: FileId,
    out: &'o mut Vec<Diagnostic>,
    /// The number of the next reference.
    next_id: u32,
    /// Whether a workflow stands in the place of some operation.
    nests: bool,
    /// Placeholders of other languages.
    foreign: Vec<Foreign>,
    /// Texts under keys that are not known.
    unread: Vec<String>,
    /// The operation whose values are read.
    inside: Option<usize>,
}

impl<'o> Decoder<'o> {
    fn new(file: FileId, out: &'o mut Vec<Diagnostic>) -> Self {
        Self { file, out, next_id: 0, nests: false, foreign: Vec::new(), unread: Vec::new(), inside: None }
    }
}

impl Decoder<'_> {
    /// The entries of a table, without those that are null.
    fn table(&mut self, tree: Tree, what: impl fmt::Display) -> Option<Vec<Entry>> {
        match tree.node {
            Node::Table(table) => {
                let mut entries = table.entries;
                entries.retain(|e| !matches!(e.value.node, Node::Null));
                Some(entries)
            }
            Node::List(items)
                if !items.is_empty() && items.iter().all(|i| matches!(i.node, Node::Table(_))) =>
            {
                self.out.push(rules::wrong_shape::tables(tree.span, &what.to_string()));
                budget::enforce(self.out);
                Some(joined(items))
            }
            node => self.wrong_shape(&node, tree.span, what, "a table"),
        }
    }

    fn list(&mut self, tree: Tree, what: &str) -> Option<Vec<Tree>> {
        match tree.node {
            Node::List(items) => Some(items),
            node => self.wrong_shape(&node, tree.span, what, "a list"),
        }
    }

    fn string(&mut self, tree: Tree, what: impl fmt::Display) -> Option<Spanned<String>> {
        match tree.node {
            Node::String(text) => Some(Spanned::new(text.value, tree.span)),
            node @ (Node::Number(_) | Node::Bool(_)) => {
                let what = what.to_string();
                // a number names no type and no file
                if ["`uses`", "`workflow`", "`image`", "an item of `catalogs`"].contains(&what.as_str()) {
                    return self.wrong_shape(&node, tree.span, what, "a string");
                }
                let written = match &node {
                    Node::Number(number) => number.to_string(),
                    other => matches!(other, Node::Bool(true)).to_string(),
                };
                let version =
                    if what == "`version`" { rules::bad_version::completed(&written) } else { None };
                let right = version.unwrap_or_else(|| written.clone());
                let found = node.describe();
                self.out.push(rules::wrong_shape::without_quotes(tree.span, &what, found, &written, &right));
                budget::enforce(self.out);
                None
            }
            node => self.wrong_shape(&node, tree.span, what, "a string"),
        }
    }

    /// A list of strings; one string alone counts as a list of one.
    fn strings(&mut self, tree: Tree, what: &str) -> Vec<Spanned<String>> {
        if let Node::String(_) = tree.node {
            return self.string(tree, what).into_iter().collect();
        }
        let items = self.list(tree, what).unwrap_or_default();
        items.into_iter().filter_map(|item| self.string(item, format_args!("an item of {what}"))).collect()
    }

    fn wrong_shape<T>(
        &mut self,
        node: &Node,
        span: Span,
        what: impl fmt::Display,
        expected: &str,
    ) -> Option<T> {
        if !matches!(node, Node::Error) {
            self.out.push(rules::wrong_shape::report(span, &what.to_string(), expected, node.describe()));
            budget::enforce(self.out);
        }
        None
    }

    /// Reports the key of entry `i`, and gives the one that it was certainly meant to be, unless that one is there as well
    /// or, for another tool's word, the value means something else there.
    /// Its value is then read as that key's, so that the mistake is told once and nothing seems to be absent.
    fn unknown_key(
        &mut self,
        entries: &[Entry],
        i: usize,
        value: &Tree,
        of: impl fmt::Display,
        known: &[&'static str],
    ) -> Option<&'static str> {
        let key = &entries[i].key;
        let of = of.to_string();
        let near = rules::unknown_key::meant(&key.value, known);
        let other =
            near.filter(|near| rules::unknown_key::is_foreign(&key.value) && !fits(near.name, &value.node));
        // two tables may be two parts of one
        let beside = |entry: &Entry| {
            let parts = matches!(value.node, Node::Table(_))
                && matches!(entry.value.node, Node::Table(_) | Node::Error);
            Some(entry.key.value.as_str()) == near.map(|near| near.name) && !parts
        };
        let there = near.filter(|near| entries.iter().any(|entry| entry.key.value == near.name));
        let twin = near.filter(|_| entries.iter().any(beside));
        self.out.push(match (twin, other) {
            (Some(near), _) => rules::unknown_key::twin(key, &of, near.name),
            (None, Some(near)) => rules::unknown_key::otherwise(key, &of, near.name),
            (None, None) => rules::unknown_key::report(key, &of, known),
        });
        budget::enforce(self.out);
        if near.is_none_or(|near| !near.certain) || twin.is_some() || other.is_some() {
            self.texts_of(value);
        }
        let near = near.filter(|near| near.certain)?;
        let same = |entry: &Entry| {
            let other = &entry.key.value;
            other == near.name
                || !known.contains(&other.as_str())
                    && rules::unknown_key::meant(other, known).is_some_and(|n| n.name == near.name)
        };
        let first = entries.iter().position(same);
        (there.is_none() && first == Some(i) && other.is_none()).then_some(near.name)
    }

    /// Keeps the texts of a value that is not read. Recursion is bounded by the depth of the source.
    fn texts_of(&mut self, tree: &Tree) {
        match &tree.node {
            Node::String(text) if self.unread.len() < MAX_UNREAD && text.value.len() < 1_000 => {
                self.unread.push(text.value.clone());
            }
            Node::List(items) => items.iter().for_each(|item| self.texts_of(item)),
            Node::Table(table) => table.entries.iter().for_each(|entry| self.texts_of(&entry.value)),
            _ => {}
        }
    }

    /// Gives the sections of a file that are misspelt the names that they were meant to have. What stands under the right
    /// name as well becomes one with that.
    fn sections(&mut self, entries: &mut Vec<Entry>, of: &str, known: &[&'static str]) {
        let mut i = 0;
        while i < entries.len() {
            let key = &entries[i].key;
            if known.contains(&key.value.as_str()) || key.value == "$schema" {
                i += 1;
                continue;
            }
            self.out.push(rules::unknown_key::report(key, of, known));
            budget::enforce(self.out);
            let near = rules::unknown_key::meant(&key.value, known).filter(|near| near.certain);
            let Some(near) = near.filter(|_| matches!(entries[i].value.node, Node::Table(_))) else {
                entries.remove(i);
                continue;
            };
            let Some(right) = entries.iter().position(|entry| entry.key.value == near.name) else {
                near.name.clone_into(&mut entries[i].key.value);
                i += 1;
                continue;
            };
            let Entry { value, .. } = entries.remove(i);
            let right = if right > i { right - 1 } else { right };
            if let (Node::Table(more), Node::Table(table)) = (value.node, &mut entries[right].value.node) {
                table.index = KeyIndex::default();
                add(&mut table.entries, more.entries);
            }
        }
    }
}

/// Whether a value that stands under another tool's word may be one of our `key`: a condition, for example, is written
/// otherwise there.
fn fits(key: &str, value: &Node) -> bool {
    let name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_-/".contains(c));
    match (key, value) {
        ("after", Node::String(text)) => name(&text.value),
        ("after", Node::List(items)) => {
            items.iter().all(|item| matches!(&item.node, Node::String(text) if name(&text.value)))
        }
        ("when", Node::String(text)) => text.value.starts_with("${"),
        ("when", Node::Bool(_)) | ("with" | "inputs" | "operations", Node::Table(_)) => true,
        ("after" | "when" | "with" | "inputs" | "operations", _) => false,
        _ => true,
    }
}

/// The value of an entry; nothing more is said about what stays there.
fn take(entry: &mut Entry) -> Tree {
    let span = entry.value.span;
    mem::replace(&mut entry.value, Tree { node: Node::Error, span })
}

/// Adds entries whose keys are not there yet.
fn add(entries: &mut Vec<Entry>, more: Vec<Entry>) {
    let mut index = KeyIndex::default();
    for entry in more {
        if index.find(&entry.key.value, entries.len(), |i| &entries[i].key.value).is_none() {
            entries.push(entry);
        }
    }
}

/// A list of tables as one table: what has a name is an entry of that name.
fn joined(items: Vec<Tree>) -> Vec<Entry> {
    let mut all = Vec::new();
    let several = items.len() > 1;
    for Tree { node, span } in items {
        let Node::Table(mut table) = node else { continue };
        let keys = || table.entries.iter().map(|entry| entry.key.value.as_str());
        // the header of a workflow has a name, too
        let named = several || keys().any(|key| ["uses", "workflow", "type"].contains(&key));
        let name = keys().position(|key| key == "name").filter(|_| named);
        match name.map(|i| table.entries.remove(i).value) {
            Some(Tree { node: Node::String(name), span: place }) => {
                table.index = KeyIndex::default();
                let value = Tree { node: Node::Table(table), span };
                add(&mut all, vec![Entry { key: Spanned::new(name.value, place), value }]);
            }
            _ => add(&mut all, table.entries),
        }
    }
    all
}

/// The whole number that a text holds.
fn quoted(node: &Node) -> Option<i64> {
    match node {
        Node::String(text) => text.value.trim().parse().ok(),
        _ => None,
    }
}
