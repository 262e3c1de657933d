//! Whether a changed text is better than it was: it is parsed again, and a change that makes a fault which was not there
//! before is no fix.

use std::cell::Cell;
use std::collections::HashMap;

use crate::decode;
use crate::diagnostic::Diagnostic;
use crate::rules;
use crate::source::{FileId, Format, STDIN};
use crate::syntax;
use crate::tree::Tree;

/// Bytes that are read, in all, to try changes of one compilation.
const MOST_READ: usize = 16 << 20;

/// What is wrong with the form of a text.
pub(super) struct Reading {
    /// How many faults are of its syntax.
    syntax: usize,
    /// The rule and the message of each fault, and how often it is found.
    faults: HashMap<(&'static str, String), usize>,
}

impl Reading {
    /// Whether it has a fault that is not in `before`; syntax errors count, however they are told.
    pub(super) fn is_worse(&self, before: &Self) -> bool {
        let syntax = rules::syntax::RULE.id;
        let new = |(fault, n): (&(&str, String), &usize)| {
            fault.0 != syntax && before.faults.get(fault).is_none_or(|b| b < n)
        };
        self.syntax > before.syntax || self.faults.iter().any(new)
    }
}

/// Reads texts, up to a limit.
pub(super) struct Reparser {
    left: Cell<usize>,
}

impl Reparser {
    pub(super) fn new() -> Self {
        Self { left: Cell::new(MOST_READ) }
    }

    /// Reads a text as what it most likely is: a workflow, a catalog, or anything else. None once too much was read.
    pub(super) fn read(&self, text: &str, format: Format, name: &str) -> Option<Reading> {
        self.left.set(self.left.get().checked_sub(text.len())?);
        let mut out = Vec::new();
        let tree = syntax::parse(FileId(0), text, format, &mut out);
        let syntax = out.iter().filter(|d| d.rule == rules::syntax::RULE.id).count();
        let with = |decode: &dyn Fn(Tree, &mut Vec<Diagnostic>)| {
            let mut found = Vec::new();
            decode(tree.clone(), &mut found);
            found
        };
        // agendas, schemas and projects have other readers, which find no more than these do
        let own = name == STDIN || Format::is_workflow_path(name);
        let other = format == Format::Json || name.rsplit(['/', '\\']).next() == Some("pop.toml");
        let mut found = Vec::new();
        if own || !other {
            found = with(&|tree, out| drop(decode::workflow(FileId(0), tree, out)));
        }
        if !own && !found.is_empty() {
            let catalog = with(&|tree, out| drop(decode::catalog(FileId(0), tree, out)));
            if catalog.len() < found.len() {
                found = catalog;
            }
        }
        let mut faults: HashMap<(&'static str, String), usize> = HashMap::new();
        for fault in out.into_iter().chain(found) {
            *faults.entry((fault.rule, fault.message)).or_default() += 1;
        }
        Some(Reading { syntax, faults })
    }
}
