//! The spanned tree of a source text, the same for TOML and JSON. `decode` gives the tree its meaning.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};
use serde_json::{Map, Number, Value as Json};

use crate::source::{FileId, Span, Spanned};

/// Deepest nesting of tables and lists in a source file.
pub(crate) const MAX_DEPTH: usize = 128;

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) node: Node,
    pub(crate) span: Span,
}

impl Tree {
    /// The tree as JSON. Recursion is bounded by its depth.
    pub(crate) fn to_json(&self) -> Json {
        match &self.node {
            Node::Error | Node::Null => Json::Null,
            Node::Bool(b) => Json::Bool(*b),
            Node::Number(n) => Json::Number(n.clone()),
            Node::String(text) => Json::from(text.value.as_str()),
            Node::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Node::Table(table) => Json::Object(
                table.entries.iter().map(|e| (e.key.value.clone(), e.value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }
}

impl Tree {
    /// Moves every place of the tree. Recursion is bounded by its depth.
    pub(crate) fn relocate(&mut self, to: &dyn Fn(u32) -> u32) {
        self.span.relocate(to);
        match &mut self.node {
            Node::String(text) => {
                text.start = to(text.start);
                text.jumps.iter_mut().for_each(|(_, file)| *file = to(*file));
            }
            Node::List(items) => items.iter_mut().for_each(|item| item.relocate(to)),
            Node::Table(table) => {
                for Entry { key, value } in &mut table.entries {
                    key.span.relocate(to);
                    value.relocate(to);
                }
            }
            Node::Error | Node::Null | Node::Bool(_) | Node::Number(_) => {}
        }
    }
}

/// Reads a decimal number without a plus; none for a text that is not a JSON number.
pub(crate) fn number(text: &str) -> Option<Number> {
    let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    // the parser takes any number, but longer
    match text.parse::<u64>() {
        Ok(n) if plain => Some(n.into()),
        _ => text.parse().ok(),
    }
}

/// Values of a source file.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A part that the parser has reported; later passes stay silent about it.
    Error,
    Null,
    Bool(bool),
    Number(Number),
    String(Text),
    List(Vec<Tree>),
    Table(Table),
}

impl Node {
    /// Name of the kind, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Error => "an unreadable value",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A string after the resolution of its escapes, and the map back to the bytes of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) value: String,
    /// Start of the value in the file.
    start: u32,
    /// `(offset in value, offset in the file)` after each escape, ascending; between two of them both sides advance
    /// together.
    jumps: Box<[(u32, u32)]>,
}

impl Text {
    /// A string without escapes whose first byte is at `start` in the file.
    pub(crate) fn plain(value: String, start: usize) -> Self {
        Self { value, start: clamp(start), jumps: Box::default() }
    }

    /// Place in the file of the bytes `start..end` of the value.
    pub(crate) fn span(&self, file: FileId, start: usize, end: usize) -> Span {
        Span::new(file, self.offset(start), self.offset(end).max(self.offset(start)))
    }

    fn offset(&self, at: usize) -> usize {
        offset(self.start, &self.jumps, at)
    }
}

fn offset(start: u32, jumps: &[(u32, u32)], at: usize) -> usize {
    let at = clamp(at);
    let next = jumps.partition_point(|(value, _)| *value <= at);
    let (value, file) = next.checked_sub(1).and_then(|last| jumps.get(last)).copied().unwrap_or((0, start));
    (file + (at - value)) as usize
}

/// Collects a [`Text`] piece by piece.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    value: String,
    start: Option<u32>,
    jumps: Vec<(u32, u32)>,
}

impl TextBuilder {
    /// Appends a piece that stands literally at `start` in the file.
    pub(crate) fn push_str(&mut self, piece: &str, start: usize) {
        if piece.is_empty() && self.start.is_some() {
            return;
        }
        self.jump(start);
        self.value.push_str(piece);
    }

    /// Appends the character of an escape at `start` in the file.
    pub(crate) fn push_char(&mut self, c: char, start: usize) {
        self.jump(start);
        self.value.push(c);
    }

    /// Start of the next piece in the file, if the last piece had no escapes.
    pub(crate) fn file_end(&self) -> usize {
        offset(self.start.unwrap_or_default(), &self.jumps, self.value.len())
    }

    pub(crate) fn finish(self, start: usize) -> Text {
        let start = self.start.unwrap_or(clamp(start));
        Text { value: self.value, start, jumps: self.jumps.into_boxed_slice() }
    }

    fn jump(&mut self, file: usize) {
        let (at, file) = (clamp(self.value.len()), clamp(file));
        match self.jumps.last_mut() {
            _ if at == 0 => self.start = Some(file),
            Some(last) if last.0 == at => last.1 = file,
            _ => self.jumps.push((at, file)),
        }
    }
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Keys and values in the order of the text; keys are unique.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
    /// Positions of keys, filled as far as lookups have asked.
    pub(crate) index: KeyIndex,
}

/// One key of a table.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Tree,
}

/// Finds keys in a growing table: by a walk in a small table, by hash in a large one. The keys stay in the table. A
/// lookup reads only keys of the same hash, because the keys lie far apart in memory.
#[derive(Clone, Default)]
pub(crate) struct KeyIndex {
    grown: Option<Box<Positions>>,
}

// What it knows is in the table, too.
impl std::fmt::Debug for KeyIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyIndex").finish_non_exhaustive()
    }
}

/// Hashes of keys, and the positions of the keys.
#[derive(Clone, Default)]
struct Positions {
    table: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
}

impl Positions {
    /// Half of a key's hash, which distinguishes most keys.
    fn half(&self, key: &str) -> u32 {
        (self.hasher.hash_one(key) >> 32) as u32
    }

    /// A hash for the hash table, which needs bits at both ends.
    fn whole(half: u32) -> u64 {
        u64::from(half) << 32 | u64::from(half)
    }
}

impl KeyIndex {
    const SMALL: usize = 8;

    /// Position of `key` among those at `0..len`: all keys so far, in order.
    pub(crate) fn find<'k>(
        &mut self,
        key: &str,
        len: usize,
        key_at: impl Fn(usize) -> &'k str,
    ) -> Option<usize> {
        self.fill(len, &key_at);
        self.get(key, len, key_at)
    }

    /// Indexes the keys up to `len`.
    pub(crate) fn fill<'k>(&mut self, len: usize, key_at: impl Fn(usize) -> &'k str) {
        if len <= Self::SMALL {
            return;
        }
        let positions = &mut **self.grown.get_or_insert_default();
        let known = positions.table.len();
        if known >= len {
            return;
        }
        positions.table.reserve(len - known, |(half, _)| Positions::whole(*half));
        for i in known..len {
            let half = positions.half(key_at(i));
            let entry = (half, clamp(i));
            positions.table.insert_unique(Positions::whole(half), entry, |(half, _)| Positions::whole(*half));
        }
    }

    /// As [`find`](Self::find), for an index that is filled up to `len`.
    pub(crate) fn get<'k>(&self, key: &str, len: usize, key_at: impl Fn(usize) -> &'k str) -> Option<usize> {
        let Some(positions) = self.grown.as_deref().filter(|_| len > Self::SMALL) else {
            return (0..len).find(|i| key_at(*i) == key);
        };
        let half = positions.half(key);
        let same = |(other, i): &(u32, u32)| *other == half && key_at(*i as usize) == key;
        positions.table.find(Positions::whole(half), same).map(|(_, i)| *i as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_inside_a_string_survive_escapes() {
        // In the file, at 10: a\tb${x}
        let mut b = TextBuilder::default();
        b.push_str("a", 10);
        b.push_char('\t', 11);
        b.push_str("b${x}", 13);
        let text = b.finish(10);
        assert_eq!(text.value, "a\tb${x}");
        let span = text.span(FileId(0), 3, 7);
        assert_eq!((span.start, span.end), (14, 18));
    }

    #[test]
    fn an_index_finds_keys_before_and_after_it_grows() {
        let keys: Vec<String> = (0..40).map(|i| format!("k{i}")).collect();
        let mut index = KeyIndex::default();
        for len in [3, 9, 40] {
            assert_eq!(index.find("k2", len, |i| &keys[i]), Some(2));
            assert_eq!(index.find("k39", len, |i| &keys[i]), (len == 40).then_some(39));
        }
    }
}
