//! TOML's logical layout: which header, dotted key or inline table may add to which table. No decoding here.

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span, Spanned};
use crate::syntax::rules;
use crate::tree::{Entry, KeyIndex, MAX_DEPTH, Node, Table, Tree};

/// The document while it is being read: an arena, since later lines add to earlier tables.
pub(super) struct Document {
    items: Vec<Item>,
    /// The table of the last header.
    current: usize,
    /// A table in nobody's sight, for what belongs to no other.
    nowhere: usize,
    /// Open inline tables and arrays, innermost last.
    open: Vec<Open>,
    /// Whether the current table had a header before.
    again: bool,
    pub(super) findings: Vec<Diagnostic>,
}

/// A table or a list.
struct Item {
    kind: Kind,
    /// Its values that are items themselves, in order: where in it, and which item. Something else stands there until the
    /// document is finished. All other values are scalars, or inline tables and arrays that have ended.
    open: Vec<(usize, usize)>,
    span: Span,
    depth: usize,
}

impl Item {
    /// The item that the value at `at` is.
    fn inner(&self, at: usize) -> Option<usize> {
        self.open.binary_search_by_key(&at, |(at, _)| *at).ok().map(|i| self.open[i].1)
    }

    fn value_mut(&mut self, at: usize) -> Option<&mut Tree> {
        match &mut self.kind {
            Kind::List { items, .. } => items.get_mut(at),
            Kind::Table { entries, .. } => entries.get_mut(at).map(|entry| &mut entry.value),
        }
    }

    fn into_tree(self) -> Tree {
        let node = match self.kind {
            Kind::List { items, .. } => Node::List(items),
            Kind::Table { entries, index, .. } => Node::Table(Table { entries, index }),
        };
        Tree { node, span: self.span }
    }
}

/// An inline table or array that has not ended.
struct Open {
    item: usize,
    /// Where it stands; none when it belongs to nobody.
    place: Option<Place>,
}

/// Which value of a table or list.
#[derive(Clone, Copy)]
struct Place {
    parent: usize,
    at: usize,
}

enum Kind {
    List { items: Vec<Tree>, of_tables: bool },
    Table { entries: Vec<Entry>, index: KeyIndex, made_by: MadeBy },
}

/// An entry of a table that was looked for.
#[derive(Clone, Copy)]
struct Found {
    entry: usize,
    /// None when it is done.
    item: Option<usize>,
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

/// A table with its header is seldom shorter than this many bytes.
const SECTION: usize = 128;

impl Document {
    pub(super) fn new(file: FileId, len: usize) -> Self {
        let items = Vec::with_capacity(len / SECTION);
        let mut document = Self {
            items,
            current: ROOT,
            nowhere: ROOT,
            open: Vec::new(),
            again: false,
            findings: Vec::new(),
        };
        document.add_table(MadeBy::Header, Span::new(file, 0, len), 0);
        document.nowhere = document.add_table(MadeBy::Header, Span::new(file, 0, 0), 1);
        document
    }

    fn report(&mut self, finding: Option<Box<Diagnostic>>) {
        if self.findings.len() < super::MAX_ERRORS {
            self.findings.extend(finding.map(|f| *f));
        }
    }

    /// `[path]` or, with `array`, `[[path]]`. As everywhere here, the keys are taken out of `path`.
    pub(super) fn open_table(&mut self, path: &mut Vec<Spanned<String>>, array: bool, span: Span) {
        self.again = false;
        match self.define(path, array, span) {
            Ok(table) => {
                self.open.clear();
                self.current = table;
            }
            Err(finding) => {
                self.report(finding);
                self.leave(span);
            }
        }
    }

    /// Leaves the current table: what follows is read and dropped until the next header.
    pub(super) fn leave(&mut self, span: Span) {
        self.open.clear();
        let used =
            !matches!(&self.items[self.nowhere].kind, Kind::Table { entries, .. } if entries.is_empty());
        if used {
            self.nowhere = self.add_table(MadeBy::Header, span, 1);
        }
        self.current = self.nowhere;
    }

    fn define(
        &mut self,
        path: &mut Vec<Spanned<String>>,
        array: bool,
        span: Span,
    ) -> Result<usize, Option<Box<Diagnostic>>> {
        let Some(last) = path.pop() else { return Err(None) };
        let mut at = ROOT;
        for key in path.drain(..) {
            at = match self.find(at, &key.value) {
                None => self.add_child_table(at, key, MadeBy::Path, span)?,
                Some(found) => match found.item.map(|item| (item, &self.items[item].kind)) {
                    Some((list, Kind::List { of_tables: true, .. })) => match self.items[list].open.last() {
                        Some((_, table)) => *table,
                        None => return Err(None),
                    },
                    None | Some((_, Kind::List { .. } | Kind::Table { made_by: MadeBy::Inline, .. })) => {
                        return Err(self.closed(&key, at, found));
                    }
                    Some((table, Kind::Table { .. })) => table,
                },
            };
        }
        let Some(found) = self.find(at, &last.value) else {
            if !array {
                return self.add_child_table(at, last, MadeBy::Header, span);
            }
            let table = self.add_table(MadeBy::Header, span, self.items[at].depth + 2);
            let list = Kind::List { items: vec![later(span)], of_tables: true };
            let list = self.attach(at, last, list, span)?;
            self.items[list].open.push((0, table));
            return Ok(table);
        };
        let new = self.items.len();
        match found.item.map(|item| (item, &mut self.items[item])) {
            Some((_, Item { kind: Kind::List { of_tables: true, items }, open, depth, .. })) if array => {
                open.push((items.len(), new));
                items.push(later(span));
                let depth = *depth + 1;
                Ok(self.add_table(MadeBy::Header, span, depth))
            }
            Some((
                table,
                Item { kind: Kind::Table { made_by: made_by @ MadeBy::Path, .. }, span: place, .. },
            )) if !array => {
                *made_by = MadeBy::Header;
                *place = span;
                Ok(table)
            }
            other => {
                // a section goes on; of what it has already, nothing more is said
                let section = match other {
                    Some((table, Item { kind: Kind::Table { made_by: MadeBy::Header, .. }, .. })) => {
                        Some(table).filter(|_| at == ROOT && !array)
                    }
                    _ => None,
                };
                let finding = rules::duplicate_name::key(&last, self.place_of(at, found));
                let Some(table) = section else { return Err(Some(Box::new(finding))) };
                self.report(Some(Box::new(finding)));
                self.again = true;
                Ok(table)
            }
        }
    }

    pub(super) fn scalar(&mut self, path: &mut Vec<Spanned<String>>, tree: Tree) {
        self.place(path, tree);
    }

    pub(super) fn open_inline(&mut self, path: &mut Vec<Spanned<String>>, span: Span) {
        let kind = Kind::Table { entries: Vec::new(), index: KeyIndex::default(), made_by: MadeBy::Inline };
        self.open_item(path, kind, span);
    }

    pub(super) fn open_array(&mut self, path: &mut Vec<Spanned<String>>, span: Span) {
        self.open_item(path, Kind::List { items: Vec::new(), of_tables: false }, span);
    }

    fn open_item(&mut self, path: &mut Vec<Spanned<String>>, kind: Kind, span: Span) {
        let place = self.place(path, later(span));
        let depth = place.map_or(1, |place| self.items[place.parent].depth + 1);
        let item = self.add(kind, span, depth);
        if let Some(Place { parent, at }) = place {
            self.items[parent].open.push((at, item));
        }
        self.open.push(Open { item, place });
    }

    /// Ends the innermost inline table or array. Nothing can be added to it any more, so it becomes part of the tree now,
    /// while it is near at hand: the arena keeps only what is still open.
    pub(super) fn close(&mut self, span: Span) {
        let Some(Open { item, place }) = self.open.pop() else { return };
        self.items[item].span = self.items[item].span.to(span);
        if item + 1 < self.items.len() {
            return; // dotted keys have made tables in it
        }
        let tree = self.items.pop().map(Item::into_tree);
        if let (Some(mut tree), Some(Place { parent, at })) = (tree, place) {
            // most tables are small, and there are many
            if let Node::Table(table) = &mut tree.node {
                table.entries.shrink_to_fit();
            }
            let parent = &mut self.items[parent];
            parent.open.pop();
            if let Some(value) = parent.value_mut(at) {
                *value = tree;
            }
        }
    }

    /// Puts a value where `path` says, inside the innermost open container. When the path is refused, the value belongs
    /// to nobody.
    fn place(&mut self, path: &mut Vec<Spanned<String>>, value: Tree) -> Option<Place> {
        let container = self.open.last().map_or(self.current, |open| open.item);
        if let Kind::List { items, .. } = &mut self.items[container].kind {
            path.clear();
            items.push(value);
            return Some(Place { parent: container, at: items.len() - 1 });
        }
        let (table, last) = match self.reach(container, path, value.span) {
            Ok(reached) => reached,
            Err(finding) => {
                self.report(finding);
                return None;
            }
        };
        if let Some(found) = self.find(table, &last.value) {
            if self.findings.len() < super::MAX_ERRORS && !self.again {
                self.findings.push(rules::duplicate_name::key(&last, self.place_of(table, found)));
            }
            return None;
        }
        let Kind::Table { entries, .. } = &mut self.items[table].kind else { return None };
        entries.push(Entry { key: last, value });
        Some(Place { parent: table, at: entries.len() - 1 })
    }

    /// The table that a dotted key ends in, and the key's last part.
    fn reach(
        &mut self,
        from: usize,
        path: &mut Vec<Spanned<String>>,
        span: Span,
    ) -> Result<(usize, Spanned<String>), Option<Box<Diagnostic>>> {
        let Some(last) = path.pop() else { return Err(None) };
        let mut at = from;
        for key in path.drain(..) {
            at = match self.find(at, &key.value) {
                None => {
                    let span = key.span.to(span);
                    self.add_child_table(at, key, MadeBy::Dotted, span)?
                }
                Some(found) => match found.item.map(|item| (item, &self.items[item].kind)) {
                    Some((table, Kind::Table { made_by: MadeBy::Dotted, .. })) => table,
                    _ => return Err(self.closed(&key, at, found)),
                },
            };
        }
        Ok((at, last))
    }

    fn closed(&self, key: &Spanned<String>, table: usize, found: Found) -> Option<Box<Diagnostic>> {
        let (what, place) = match (found.item, self.entry(table, found)) {
            (Some(item), _) => match &self.items[item] {
                Item { kind: Kind::List { .. }, span, .. } => ("a list", *span),
                Item { kind: Kind::Table { .. }, span, .. } => ("a complete table", *span),
            },
            (None, Some(Entry { value: Tree { node: Node::Table(_), span }, .. })) => {
                ("a complete table", *span)
            }
            (None, Some(Entry { value, .. })) if !matches!(value.node, Node::Error) => {
                (value.node.describe(), value.span)
            }
            _ => return None,
        };
        let message = format!("cannot add to `{}`: the key is already {what}", key.value);
        Some(Box::new(rules::syntax::report(key.span, &message, "added here").also(place, "defined here")))
    }

    fn add(&mut self, kind: Kind, span: Span, depth: usize) -> usize {
        self.items.push(Item { kind, open: Vec::new(), span, depth });
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
        let parent = &mut self.items[parent];
        if let Kind::Table { entries, .. } = &mut parent.kind {
            parent.open.push((entries.len(), item));
            entries.push(Entry { key, value: later(span) });
        }
        Ok(item)
    }

    fn find(&mut self, table: usize, key: &str) -> Option<Found> {
        let Kind::Table { entries, index, .. } = &mut self.items[table].kind else { return None };
        let entry = index.find(key, entries.len(), |i| &entries[i].key.value)?;
        Some(Found { entry, item: self.items[table].inner(entry) })
    }

    fn entry(&self, table: usize, found: Found) -> Option<&Entry> {
        match &self.items[table].kind {
            Kind::Table { entries, .. } => entries.get(found.entry),
            Kind::List { .. } => None,
        }
    }

    /// Where the key of an entry stands.
    fn place_of(&self, table: usize, found: Found) -> Span {
        self.entry(table, found).map(|entry| entry.key.span).unwrap_or_default()
    }

    /// The finished tree.
    pub(super) fn finish(self) -> Tree {
        let mut items: Vec<Option<Item>> = self.items.into_iter().map(Some).collect();
        build(&mut items, ROOT)
    }
}

/// What stands where an item will be.
fn later(span: Span) -> Tree {
    Tree { node: Node::Error, span }
}

/// Puts items where they belong. Recursion is bounded: every attached item carries a depth of at most twice
/// [`MAX_DEPTH`].
fn build(items: &mut [Option<Item>], at: usize) -> Tree {
    let Some(mut item) = items.get_mut(at).and_then(Option::take) else {
        return later(Span::default());
    };
    for (at, inner) in std::mem::take(&mut item.open) {
        let tree = build(items, inner);
        if let Some(value) = item.value_mut(at) {
            *value = tree;
        }
    }
    item.into_tree()
}
