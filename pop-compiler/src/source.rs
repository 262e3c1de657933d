//! Files, spans and line numbers. No I/O: the caller reads the files.

mod format;
mod places;

use std::sync::Arc;

pub use format::Format;
pub use places::{Mention, Places};

/// Name of a text from standard input.
pub const STDIN: &str = "<stdin>";

/// Number of a file in a [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in one file: `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end) }
    }

    /// Moves both ends.
    pub(crate) fn relocate(&mut self, to: &dyn Fn(u32) -> u32) {
        self.start = to(self.start);
        self.end = to(self.end).max(self.start);
    }

    /// The smallest span around both; `self` when they lie in different files.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The span as a byte range.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Place of the value.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, written at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// One file: its printed name, its text, and the starts of its lines.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path as the user gave it.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    lines: Arc<[u32]>,
    /// Number of characters that begin before each [`STEP`]th byte; empty for a text of single-byte characters.
    characters: Arc<[u32]>,
}

/// Distance in bytes between two entries of `characters`, from which the column of a long line is counted.
const STEP: usize = 1024;

impl Source {
    /// A file called `name` with this text.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let lines =
            std::iter::once(0).chain(breaks.map(|(i, _)| u32::try_from(i + 1).unwrap_or(u32::MAX))).collect();
        let characters = if text.is_ascii() {
            Arc::default()
        } else {
            let mut before = 0;
            let steps = text.as_bytes().chunks(STEP).map(|chunk| {
                let here = before;
                before += begun(chunk);
                u32::try_from(here).unwrap_or(u32::MAX)
            });
            steps.collect()
        };
        Self { name: name.into(), text, lines, characters }
    }

    /// The syntax of the text: by the ending of its name, or by its beginning for a text from standard input.
    pub fn format(&self) -> Option<Format> {
        if *self.name != *STDIN {
            return Format::from_path(&self.name);
        }
        let text = self.text.trim_start_matches('\u{feff}').trim_start();
        Some(if text.starts_with(['{', '/']) { Format::Json } else { Format::Toml })
    }

    /// The one-based line and column (in characters) of a byte offset.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines[line - 1] as usize;
        let mut end = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let column = self.characters_before(end).saturating_sub(self.characters_before(start)) + 1;
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    /// Text of a line without its end, counted from one; empty if the line does not exist.
    pub(crate) fn line(&self, line: u32) -> &str {
        let starts = |n: u32| self.lines.get(n as usize).map(|start| *start as usize);
        let Some(from) = line.checked_sub(1).and_then(starts) else { return "" };
        let to = starts(line).map_or(self.text.len(), |next| next - 1);
        self.text.get(from..to).unwrap_or_default()
    }

    fn characters_before(&self, at: usize) -> usize {
        let step = at / STEP;
        // the text may end with a full step
        let Some(known) = self.characters.get(step.min(self.characters.len().wrapping_sub(1))) else {
            return at;
        };
        let from = step.min(self.characters.len() - 1) * STEP;
        *known as usize + begun(&self.text.as_bytes()[from..at])
    }
}

/// Number of characters that begin in these bytes.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

/// A place for people. Lines and columns start at 1, and columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// All the files of one compilation.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, and returns its id for spans.
    pub fn add(&mut self, source: Source) -> FileId {
        self.files.push(source);
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The file with this id, if it exists.
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.files.get(id.0 as usize)
    }

    /// The files in the order of their addition.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().enumerate().map(|(i, s)| (FileId(u32::try_from(i).unwrap_or(u32::MAX)), s))
    }

    /// Text of a span; empty for a span outside of these files.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|s| s.text.get(span.range())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let source = Source::new("x", "a\n\nlast");
        assert_eq!([0, 1, 2, 3, 4].map(|n| source.line(n)), ["", "a", "", "last", ""]);
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let s = Source::new("f", "ab\nçd\n");
        assert_eq!(s.position(0), Position { line: 1, column: 1 });
        assert_eq!(s.position(3), Position { line: 2, column: 1 });
        assert_eq!(s.position(5), Position { line: 2, column: 2 });
        assert_eq!(s.position(7), Position { line: 3, column: 1 });
        assert_eq!(s.position(99), Position { line: 3, column: 1 });
    }

    #[test]
    fn long_lines_count_the_same() {
        for text in
            ["é".repeat(3000), "x".repeat(5000), "a€".repeat(1024), format!("b\n{}", "aé€".repeat(2000))]
        {
            let s = Source::new("f", text.as_str());
            for (at, _) in text.char_indices().chain([(text.len(), ' ')]).step_by(7) {
                let line = text[..at].rfind('\n').map_or(0, |n| n + 1);
                let column = u32::try_from(text[line..at].chars().count() + 1).unwrap();
                assert_eq!(s.position(u32::try_from(at).unwrap()).column, column, "{at}");
            }
        }
    }
}
