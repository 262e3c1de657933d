//! The one spanned tree that the TOML and JSON front ends both give. No meaning yet: that is `decode`'s part.

use std::collections::HashMap;

use serde_json::{Map, Number, Value as Json};

use crate::source::{FileId, Span, Spanned};

/// How deep tables and lists may nest in a source file.
pub(crate) const MAX_DEPTH: usize = 128;

/// A value and where it was written.
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

/// What a source file can hold.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Something the front end has already complained about; nothing more is said about it.
    Error,
    Null,
    Bool(bool),
    Number(Number),
    String(Text),
    List(Vec<Tree>),
    Table(Table),
}

impl Node {
    /// What it is, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Error => "something unreadable",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A string after its escapes are resolved, and the way back to the bytes in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) value: String,
    /// `(offset in value, offset in the file)`, ascending; between two of them both sides advance together.
    pub(crate) anchors: Vec<(u32, u32)>,
}

impl Text {
    /// A string without escapes whose first byte is at `start` in the file.
    pub(crate) fn plain(value: String, start: usize) -> Self {
        Self { value, anchors: vec![(0, clamp(start))] }
    }

    /// Where the bytes `start..end` of the value are in the file.
    pub(crate) fn span(&self, file: FileId, start: usize, end: usize) -> Span {
        Span::new(file, self.offset(start), self.offset(end).max(self.offset(start)))
    }

    fn offset(&self, at: usize) -> usize {
        let at = clamp(at);
        let next = self.anchors.partition_point(|(value, _)| *value <= at);
        let Some((value, file)) = self.anchors.get(next.saturating_sub(1)) else { return 0 };
        (file + (at - value)) as usize
    }
}

/// Collects a [`Text`] piece by piece.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    text: Text,
}

impl TextBuilder {
    /// Appends what stands literally at `start` in the file.
    pub(crate) fn push_str(&mut self, piece: &str, start: usize) {
        if piece.is_empty() && !self.text.anchors.is_empty() {
            return;
        }
        self.anchor(start);
        self.text.value.push_str(piece);
    }

    /// Appends what an escape at `start` in the file stands for.
    pub(crate) fn push_char(&mut self, c: char, start: usize) {
        self.anchor(start);
        self.text.value.push(c);
    }

    /// Where in the file the next piece would begin, had the last one no escapes.
    pub(crate) fn file_end(&self) -> usize {
        self.text.offset(self.text.value.len())
    }

    pub(crate) fn finish(mut self, start: usize) -> Text {
        if self.text.anchors.is_empty() {
            self.text.anchors.push((0, clamp(start)));
        }
        self.text
    }

    fn anchor(&mut self, file: usize) {
        let at = clamp(self.text.value.len());
        match self.text.anchors.last_mut() {
            Some(last) if last.0 == at => last.1 = clamp(file),
            _ => self.text.anchors.push((at, clamp(file))),
        }
    }
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Keys and values in the order they were written; keys are unique.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// One key of a table.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Tree,
}

/// Finds keys in a growing table: by walking while it is small, by hash when it is not.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    map: HashMap<String, usize>,
}

impl KeyIndex {
    const SMALL: usize = 8;

    /// The position of `key` among `keys` (all that were added so far, in order).
    pub(crate) fn find<'k>(
        &mut self,
        key: &str,
        len: usize,
        mut key_at: impl FnMut(usize) -> &'k str,
    ) -> Option<usize> {
        if len <= Self::SMALL {
            return (0..len).find(|i| key_at(*i) == key);
        }
        for i in self.map.len()..len {
            self.map.insert(key_at(i).to_owned(), i);
        }
        self.map.get(key).copied()
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
