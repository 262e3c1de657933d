//! From a [`Tree`] to the workflow as written: which keys there are and what shape each has. All faults at once; names
//! are not resolved here.

mod catalog;
mod operation;
mod run;
mod settings;
mod types;
mod value;
mod workflow;

use std::fmt;

use crate::ast::{OperationTypeDef, TypeDef, Workflow};
use crate::diagnostic::Diagnostic;
use crate::limit;
use crate::rules;
use crate::source::{FileId, Span, Spanned};
use crate::tree::{Entry, Node, Tree};

/// What a catalog file holds.
#[derive(Debug, Default)]
pub(crate) struct CatalogFile {
    pub(crate) types: Vec<TypeDef>,
    pub(crate) operation_types: Vec<OperationTypeDef>,
}

/// Reads a workflow file.
pub(crate) fn workflow(file: FileId, tree: Tree, out: &mut Vec<Diagnostic>) -> Workflow {
    Decoder { file, out, next_id: 0, nests: false }.workflow(tree)
}

/// Reads a catalog file.
pub(crate) fn catalog(file: FileId, tree: Tree, out: &mut Vec<Diagnostic>) -> CatalogFile {
    Decoder { file, out, next_id: 0, nests: false }.catalog_file(tree)
}

struct Decoder<'o> {
    file: FileId,
    out: &'o mut Vec<Diagnostic>,
    /// The number of the next reference.
    next_id: u32,
    /// Whether a workflow stands in the place of some operation.
    nests: bool,
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
                if ["`uses`", "`workflow`", "`image`"].contains(&what.as_str()) {
                    return self.wrong_shape(&node, tree.span, what, "a string");
                }
                let written = match &node {
                    Node::Number(number) => number.to_string(),
                    other => matches!(other, Node::Bool(true)).to_string(),
                };
                let found = node.describe();
                self.out.push(rules::wrong_shape::without_quotes(tree.span, &what, found, &written));
                limit::hold(self.out);
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
            limit::hold(self.out);
        }
        None
    }

    fn unknown_key(&mut self, key: &Spanned<String>, of: impl fmt::Display, known: &[&str]) {
        self.out.push(rules::unknown_key::report(key, &of.to_string(), known));
        limit::hold(self.out);
    }
}

/// The whole number that a text holds.
fn quoted(node: &Node) -> Option<i64> {
    match node {
        Node::String(text) => text.value.trim().parse().ok(),
        _ => None,
    }
}
