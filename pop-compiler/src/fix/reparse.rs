//! Parses a changed text again: a change that causes a new fault is no fix.

use std::cell::Cell;
use std::collections::HashMap;

use crate::decode;
use crate::diagnostic::Diagnostic;
use crate::rules;
use crate::source::{FileId, Format, STDIN};
use crate::syntax;
use crate::tree::Tree;

/// Most bytes, in total, that are parsed to try the changes of one compilation.
const MOST_READ: usize = 16 << 20;

/// Faults in the form of a text.
pub(super) struct Reading {
    /// Number of syntax errors.
    syntax: usize,
    /// Rule and message of each fault, with the number of its findings.
    faults: HashMap<(&'static str, String), usize>,
}

impl Reading {
    /// Whether this reading has a fault that `before` lacks. Of syntax errors only the number counts.
    pub(super) fn is_worse(&self, before: &Self) -> bool {
        let syntax = rules::syntax::RULE.id;
        let new = |(fault, n): (&(&str, String), &usize)| {
            fault.0 != syntax && before.faults.get(fault).is_none_or(|b| b < n)
        };
        self.syntax > before.syntax || self.faults.iter().any(new)
    }
}

/// Parses texts within a limit.
pub(super) struct Reparser {
    left: Cell<usize>,
}

impl Reparser {
    pub(super) fn new() -> Self {
        Self { left: Cell::new(MOST_READ) }
    }

    /// Parses a text as its most likely kind: workflow, catalog, or other. None once the limit is reached.
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
