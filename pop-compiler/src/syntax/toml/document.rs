//! TOML's logical layout: which header, dotted key or inline table may add to which table. No decoding here.

use crate::diagnostic::Diagnostic;
use crate::rules;
use crate::source::{FileId, Span, Spanned};
use crate::tree::{Entry, KeyIndex, MAX_DEPTH, Node, Table, Tree};

/// The document while it is being read: an arena, since later lines add to earlier tables.
pub(super) struct Document {
    items: Vec<Item>,
    /// The table of the last header.
    current: usize,
    /// Open inline tables and arrays, innermost last.
    open: Vec<usize>,
    pub(super) findings: Vec<Diagnostic>,
}

struct Item {
    kind: Kind,
    span: Span,
    depth: usize,
}

enum Kind {
    Scalar(Node),
    List { items: Vec<usize>, of_tables: bool },
    Table { entries: Vec<(Spanned<String>, usize)>, index: KeyIndex, made_by: MadeBy },
}

/// How a table came to be decides who may add to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MadeBy {
    /// On the way to a deeper header; a header may still define it.
    Path,
    /// Its own header.
    Header,
    /// A dotted key; dotted keys may go on adding.
    Dotted,
    /// `{ … }`, closed for good.
    Inline,
}

const ROOT: usize = 0;

impl Document {
    pub(super) fn new(file: FileId, len: usize) -> Self {
        let mut document = Self { items: Vec::new(), current: ROOT, open: Vec::new(), findings: Vec::new() };
        document.add_table(MadeBy::Header, Span::new(file, 0, len), 0);
        document
    }

    /// `[path]` or, with `array`, `[[path]]`.
    pub(super) fn open_table(&mut self, path: Vec<Spanned<String>>, array: bool, span: Span) {
        self.open.clear();
        self.current = self.define(path, array, span).unwrap_or_else(|finding| {
            self.findings.extend(finding.map(|f| *f));
            self.add_table(MadeBy::Header, span, 1) // in nobody's sight: what follows is read and dropped
        });
    }

    /// Leaves the current table: what follows is read and dropped until the next header.
    pub(super) fn leave(&mut self, span: Span) {
        self.open.clear();
        self.current = self.add_table(MadeBy::Header, span, 1);
    }

    fn define(
        &mut self,
        mut path: Vec<Spanned<String>>,
        array: bool,
        span: Span,
    ) -> Result<usize, Option<Box<Diagnostic>>> {
        let Some(last) = path.pop() else { return Err(None) };
        let mut at = ROOT;
        for key in path {
            at = match self.child(at, &key.value) {
                None => self.add_child_table(at, key, MadeBy::Path, span)?,
                Some(child) => match &self.items[child].kind {
                    Kind::Table { made_by: MadeBy::Inline, .. } => return Err(self.closed(&key, child)),
                    Kind::Table { .. } => child,
                    Kind::List { items, of_tables: true } => items.last().copied().ok_or(None)?,
                    _ => return Err(self.closed(&key, child)),
                },
            };
        }
        match self.child(at, &last.value) {
            None if array => {
                let table = self.add_table(MadeBy::Header, span, self.items[at].depth + 2);
                let list = Kind::List { items: vec![table], of_tables: true };
                self.attach(at, last, list, span)?;
                Ok(table)
            }
            None => self.add_child_table(at, last, MadeBy::Header, span),
            Some(child) => {
                let depth = self.items[child].depth + 1;
                match &mut self.items[child].kind {
                    Kind::List { of_tables: true, .. } if array => {
                        let table = self.add_table(MadeBy::Header, span, depth);
                        if let Kind::List { items, .. } = &mut self.items[child].kind {
                            items.push(table);
                        }
                        Ok(table)
                    }
                    Kind::Table { made_by: made_by @ MadeBy::Path, .. } if !array => {
                        *made_by = MadeBy::Header;
                        self.items[child].span = span;
                        Ok(child)
                    }
                    _ => Err(Some(Box::new(rules::duplicate_name::key(
                        &last,
                        self.first_place(at, &last.value),
                    )))),
                }
            }
        }
    }

    pub(super) fn scalar(&mut self, path: &[Spanned<String>], tree: Tree) {
        self.place(path, Kind::Scalar(tree.node), tree.span);
    }

    pub(super) fn open_inline(&mut self, path: &[Spanned<String>], span: Span) -> bool {
        let kind = Kind::Table { entries: Vec::new(), index: KeyIndex::default(), made_by: MadeBy::Inline };
        let item = self.place(path, kind, span);
        self.open.push(item);
        true
    }

    pub(super) fn open_array(&mut self, path: &[Spanned<String>], span: Span) -> bool {
        let item = self.place(path, Kind::List { items: Vec::new(), of_tables: false }, span);
        self.open.push(item);
        true
    }

    /// Ends the innermost inline table or array.
    pub(super) fn close(&mut self, span: Span) {
        if let Some(item) = self.open.pop() {
            self.items[item].span = self.items[item].span.to(span);
        }
    }

    /// Puts a value where `path` says, inside the innermost open container. Always gives an item, which belongs to
    /// nobody when the path was refused.
    fn place(&mut self, path: &[Spanned<String>], kind: Kind, span: Span) -> usize {
        let container = self.open.last().copied().unwrap_or(self.current);
        if let Kind::List { .. } = self.items[container].kind {
            let item = self.add(kind, span, self.items[container].depth + 1);
            if let Kind::List { items, .. } = &mut self.items[container].kind {
                items.push(item);
            }
            return item;
        }
        match self.reach(container, path, span) {
            Ok((table, last)) => {
                if self.child(table, &last.value).is_some() {
                    let first = self.first_place(table, &last.value);
                    self.findings.push(rules::duplicate_name::key(&last, first));
                    return self.add(kind, span, 1);
                }
                let item = self.add(kind, span, self.items[table].depth + 1);
                if let Kind::Table { entries, .. } = &mut self.items[table].kind {
                    entries.push((last, item));
                }
                item
            }
            Err(finding) => {
                self.findings.extend(finding.map(|f| *f));
                self.add(kind, span, 1)
            }
        }
    }

    /// The table that a dotted key ends in, and the key's last part.
    fn reach(
        &mut self,
        from: usize,
        path: &[Spanned<String>],
        span: Span,
    ) -> Result<(usize, Spanned<String>), Option<Box<Diagnostic>>> {
        let Some((last, path)) = path.split_last() else { return Err(None) };
        let mut at = from;
        for key in path {
            at = match self.child(at, &key.value) {
                None => self.add_child_table(at, key.clone(), MadeBy::Dotted, key.span.to(span))?,
                Some(child) => match self.items[child].kind {
                    Kind::Table { made_by: MadeBy::Dotted, .. } => child,
                    _ => return Err(self.closed(key, child)),
                },
            };
        }
        Ok((at, last.clone()))
    }

    fn closed(&self, key: &Spanned<String>, item: usize) -> Option<Box<Diagnostic>> {
        let what = match &self.items[item].kind {
            Kind::Scalar(Node::Error) => return None,
            Kind::Scalar(node) => node.describe(),
            Kind::List { .. } => "a list",
            Kind::Table { .. } => "a table that is complete",
        };
        let message = format!("`{}` is {what}; nothing can be added to it here", key.value);
        Some(Box::new(
            rules::syntax::report(key.span, &message, "adds to it")
                .also(self.items[item].span, "defined here"),
        ))
    }

    fn add(&mut self, kind: Kind, span: Span, depth: usize) -> usize {
        self.items.push(Item { kind, span, depth });
        self.items.len() - 1
    }

    fn add_table(&mut self, made_by: MadeBy, span: Span, depth: usize) -> usize {
        self.add(Kind::Table { entries: Vec::new(), index: KeyIndex::default(), made_by }, span, depth)
    }

    fn add_child_table(
        &mut self,
        parent: usize,
        key: Spanned<String>,
        made_by: MadeBy,
        span: Span,
    ) -> Result<usize, Option<Box<Diagnostic>>> {
        let kind = Kind::Table { entries: Vec::new(), index: KeyIndex::default(), made_by };
        self.attach(parent, key, kind, span)
    }

    fn attach(
        &mut self,
        parent: usize,
        key: Spanned<String>,
        kind: Kind,
        span: Span,
    ) -> Result<usize, Option<Box<Diagnostic>>> {
        let depth = self.items[parent].depth + 1;
        if depth > MAX_DEPTH {
            return Err(Some(Box::new(rules::syntax::too_deep(key.span))));
        }
        let item = self.add(kind, span, depth);
        if let Kind::Table { entries, .. } = &mut self.items[parent].kind {
            entries.push((key, item));
        }
        Ok(item)
    }

    fn child(&mut self, table: usize, key: &str) -> Option<usize> {
        let Kind::Table { entries, index, .. } = &mut self.items[table].kind else { return None };
        let found = index.find(key, entries.len(), |i| &entries[i].0.value)?;
        Some(entries[found].1)
    }

    fn first_place(&mut self, table: usize, key: &str) -> Span {
        let Kind::Table { entries, index, .. } = &mut self.items[table].kind else { return Span::default() };
        let found = index.find(key, entries.len(), |i| &entries[i].0.value);
        found.map(|i| entries[i].0.span).unwrap_or_default()
    }

    /// The finished tree.
    pub(super) fn finish(self) -> Tree {
        let mut items: Vec<Option<Item>> = self.items.into_iter().map(Some).collect();
        build(&mut items, ROOT)
    }
}

/// Recursion is bounded: every attached item carries a depth of at most twice [`MAX_DEPTH`].
fn build(items: &mut [Option<Item>], at: usize) -> Tree {
    let Some(item) = items.get_mut(at).and_then(Option::take) else {
        return Tree { node: Node::Error, span: Span::default() };
    };
    let node = match item.kind {
        Kind::Scalar(node) => node,
        Kind::List { items: list, .. } => Node::List(list.into_iter().map(|i| build(items, i)).collect()),
        Kind::Table { entries, .. } => Node::Table(Table {
            entries: entries.into_iter().map(|(key, i)| Entry { key, value: build(items, i) }).collect(),
        }),
    };
    Tree { node, span: item.span }
}
