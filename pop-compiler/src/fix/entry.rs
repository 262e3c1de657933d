//! Taking an entry out of a table or an item out of a list, with its comma or its line. Comments stay; where one would
//! have to go, or what should go is not one piece, nothing is done.

use std::cell::Cell;

use crate::diagnostic::Edit;
use crate::source::{Format, Span};
use crate::syntax::{Kind, Token, lex};

/// Tokens of a file that are looked at, in all, for keys beside those that are to be renamed.
const MOST_BESIDE: usize = 20_000_000;

/// A text and its tokens.
pub(super) struct Lexed<'t> {
    source: &'t str,
    format: Format,
    tokens: Vec<Token<'t>>,
    /// Where each token begins.
    starts: Vec<usize>,
    /// How many brackets are open before each token.
    depths: Vec<usize>,
    /// What is left of [`MOST_BESIDE`].
    beside: Cell<usize>,
}

impl<'t> Lexed<'t> {
    pub(super) fn new(text: &'t str, format: Format) -> Self {
        let tokens = lex(text, format);
        let mut at = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
        let starts = tokens
            .iter()
            .map(|token| {
                let start = at;
                at += token.text.len();
                start
            })
            .collect();
        let mut depth = 0usize;
        let depths = tokens
            .iter()
            .map(|token| {
                let before = depth;
                match token.kind {
                    Kind::Open => depth += 1,
                    Kind::Close => depth = depth.saturating_sub(1),
                    _ => {}
                }
                before
            })
            .collect();
        Self { source: text, format, tokens, starts, depths, beside: Cell::new(MOST_BESIDE) }
    }

    /// The edits that take out what begins with `span`.
    pub(super) fn drop(&self, span: Span) -> Option<Vec<Edit>> {
        let at = self.at(span)?;
        let cuts = if let Some(header) = self.header_of(at) {
            vec![self.table(header)?]
        } else {
            let first = self.key_of(at)?;
            let on_lines = self.format == Format::Toml && self.depths[first] == 0;
            if on_lines { vec![self.line(first)?] } else { self.item(first)? }
        };
        let edit = |(start, end)| Edit { span: Span::new(span.file, start, end), replacement: String::new() };
        Some(cuts.into_iter().map(edit).collect())
    }

    fn end(&self, i: usize) -> usize {
        self.starts[i] + self.tokens[i].text.len()
    }

    /// The token before `i` that is not space.
    fn before(&self, i: usize) -> Option<usize> {
        (0..i).rev().find(|i| self.tokens[*i].kind != Kind::Space)
    }

    /// The bracket that opens the header `[a.b]` whose last key is token `i`.
    fn header_of(&self, i: usize) -> Option<usize> {
        if self.format != Format::Toml {
            return None;
        }
        let mut at = i;
        loop {
            at = self.before(at)?;
            match self.tokens[at].kind {
                Kind::Word | Kind::Dot => {}
                Kind::Open if self.depths[at] == 0 => break,
                _ => return None,
            }
        }
        let starts_line = self.before(at).is_none_or(|b| self.tokens[b].kind == Kind::Newline);
        let close = (i + 1..self.tokens.len()).find(|n| self.tokens[*n].kind != Kind::Space)?;
        (starts_line && self.tokens[close].kind == Kind::Close).then_some(at)
    }

    /// Of an entry the first token of its key, given its key or its value; of an item of a list its first token.
    fn key_of(&self, i: usize) -> Option<usize> {
        let mut at = i;
        while let Some(before) = self.before(at) {
            match self.tokens[before].kind {
                Kind::Equals | Kind::Colon | Kind::Dot => at = self.before(before)?,
                _ => break,
            }
        }
        // of `a.b = 1` the whole may go, but not because of `a`
        let next = (i + 1..self.tokens.len()).find(|n| self.tokens[*n].kind != Kind::Space);
        (next.is_none_or(|n| self.tokens[n].kind != Kind::Dot)).then_some(at)
    }

    /// The last token of what begins with token `first`: up to a comma, a closing bracket or, outside brackets, the line's
    /// end. None when a comment is inside.
    fn last(&self, first: usize, lines: bool) -> Option<usize> {
        let mut depth = 0usize;
        let mut last = first;
        let mut comment = false;
        for (i, token) in self.tokens.iter().enumerate().skip(first) {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close | Kind::Comma if depth == 0 => break,
                Kind::Close => depth -= 1,
                Kind::Newline if depth == 0 && lines => break,
                Kind::Comment => {
                    comment = true;
                    continue;
                }
                Kind::Space | Kind::Newline => continue,
                _ => {}
            }
            if comment {
                return None;
            }
            last = i;
        }
        Some(last)
    }

    /// An entry that has its lines for itself.
    fn line(&self, first: usize) -> Option<(usize, usize)> {
        let last = self.last(first, true)?;
        let (start, end) = (self.starts[first], self.end(last));
        // a comment behind it stays, at its place
        let spaces = self.source[end..].len() - self.source[end..].trim_start_matches([' ', '\t']).len();
        Some(self.whole_line(first, end).unwrap_or((start, end + spaces)))
    }

    /// The lines of `first..end` with the last newline, when nothing else is on them.
    fn whole_line(&self, first: usize, end: usize) -> Option<(usize, usize)> {
        let start = self.source[..self.starts[first]].rfind('\n').map_or(0, |n| n + 1);
        let stop = self.source[end..].find('\n').map_or(self.source.len(), |n| end + n + 1);
        let alone = self.source[start..self.starts[first]].trim().is_empty()
            && self.source[end..stop].trim().is_empty();
        alone.then_some((start, stop))
    }

    /// An item between brackets.
    fn item(&self, first: usize) -> Option<Vec<(usize, usize)>> {
        let last = self.last(first, false)?;
        let (start, end) = (self.starts[first], self.end(last));
        let next = (last + 1..self.tokens.len())
            .find(|i| !matches!(self.tokens[*i].kind, Kind::Space | Kind::Newline | Kind::Comment))?;
        if self.tokens[next].kind == Kind::Comma {
            let close = self.source[end..self.starts[next]].trim().is_empty();
            let after = self.end(next);
            let spaces =
                self.source[after..].len() - self.source[after..].trim_start_matches([' ', '\t']).len();
            let one = self.whole_line(first, after).unwrap_or((start, after + spaces));
            return Some(if close { vec![one] } else { vec![(start, end), (self.starts[next], after)] });
        }
        let before = (0..first)
            .rev()
            .find(|i| !matches!(self.tokens[*i].kind, Kind::Space | Kind::Newline | Kind::Comment))?;
        if self.tokens[before].kind == Kind::Comma {
            let comma = self.starts[before];
            if self.source[self.end(before)..start].trim().is_empty() {
                return Some(vec![(comma, end)]);
            }
            let own = self.whole_line(first, end).unwrap_or((start, end));
            return Some(vec![(comma, self.end(before)), own]);
        }
        // all that is there
        let spaces = self.source[end..].len() - self.source[end..].trim_start_matches([' ', '\t']).len();
        Some(vec![self.whole_line(first, end).unwrap_or((start, end + spaces))])
    }

    /// The path of the header that begins with token `open`, with a dot at the end.
    fn path(&self, open: usize) -> String {
        let line =
            self.tokens[open..].iter().take_while(|t| !matches!(t.kind, Kind::Newline | Kind::Comment));
        let text: String = line.filter(|t| t.kind != Kind::Space).map(|t| t.text).collect();
        text.trim_start_matches('[').trim_end_matches(']').to_owned() + "."
    }

    /// Where headers begin.
    fn headers(&self) -> impl Iterator<Item = usize> {
        (0..self.tokens.len()).filter(|i| self.is_header(*i))
    }

    fn is_header(&self, i: usize) -> bool {
        self.format == Format::Toml
            && self.tokens[i].kind == Kind::Open
            && self.depths[i] == 0
            && self.before(i).is_none_or(|b| self.tokens[b].kind == Kind::Newline)
    }

    /// The tokens from a header to the next one, without the space and the comments before that.
    fn section(&self, header: usize) -> std::ops::Range<usize> {
        let end = self.headers().find(|i| *i > header).unwrap_or(self.tokens.len());
        let last = (header..end)
            .rev()
            .find(|i| !matches!(self.tokens[*i].kind, Kind::Space | Kind::Newline | Kind::Comment));
        header..last.map_or(end, |last| last + 1)
    }

    /// A table with a header of its own, when no other header adds to it and no comment is in it.
    fn table(&self, header: usize) -> Option<(usize, usize)> {
        let own = self.path(header);
        let below =
            self.headers().any(|i| i != header && self.path(i).starts_with(&own) && self.path(i) != own);
        let section = self.section(header);
        if below || self.tokens[section.clone()].iter().any(|token| token.kind == Kind::Comment) {
            return None;
        }
        let (start, stop) = (self.starts[header], self.end(section.end - 1));
        // a comment behind the last line is not part of it
        let line = self.source[stop..].find('\n').map_or(self.source.len(), |n| stop + n + 1);
        Some((start, if self.source[stop..line].trim().is_empty() { line } else { stop }))
    }

    /// The table, list or file around byte `at`; in TOML what is below one header is one table.
    pub(super) fn around(&self, at: usize) -> std::ops::Range<usize> {
        let at = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let Some(depth) = self.depths.get(at).copied() else { return 0..self.source.len() };
        let bounds = |i: &usize| self.depths[*i] < depth || self.is_header(*i);
        let from = (0..=at).rev().find(bounds);
        let header = from.filter(|from| self.is_header(*from));
        let to = match header {
            Some(header) => self.headers().find(|i| *i > header),
            None => (at..self.tokens.len()).find(bounds),
        };
        from.map_or(0, |from| self.starts[from])..to.map_or(self.source.len(), |to| self.starts[to])
    }

    fn at(&self, span: Span) -> Option<usize> {
        self.starts.binary_search(&(span.start as usize)).ok()
    }

    /// The tokens of the table or the entry whose key begins with `span`.
    fn extent(&self, span: Span) -> Option<std::ops::Range<usize>> {
        let at = self.at(span)?;
        if let Some(header) = self.header_of(at) {
            return Some(self.section(header));
        }
        let first = self.key_of(at)?;
        Some(first..self.last(first, self.format == Format::Toml && self.depths[first] == 0)? + 1)
    }

    /// The edits that take out the entry whose key begins with `span`, if the one at `first` says the same.
    pub(super) fn drop_twin(&self, span: Span, first: Span) -> Option<Vec<Edit>> {
        let words = |span: Span| {
            let tokens = self.tokens[self.extent(span)?].iter();
            let words = tokens.filter(|t| !matches!(t.kind, Kind::Space | Kind::Newline | Kind::Comment));
            Some(words.map(|t| t.text).collect::<Vec<_>>())
        };
        (words(span)? == words(first)?).then(|| self.drop(span))?
    }

    /// The edit that adds an entry before the one whose key begins with `span`.
    pub(super) fn add(&self, span: Span, key: &str, value: &str) -> Option<Vec<Edit>> {
        let at = self.at(span)?;
        let first = self.key_of(at)?;
        let start = self.starts[first];
        let path = &self.source[start..self.starts[at]];
        let entry = if self.format == Format::Json {
            format!("\"{key}\": {value}, ")
        } else if self.depths[first] > 0 {
            format!("{path}{key} = {value}, ")
        } else {
            let indent = &self.source[self.source[..start].rfind('\n').map_or(0, |n| n + 1)..start];
            let end = if self.source.contains("\r\n") { "\r\n" } else { "\n" };
            format!("{path}{key} = {value}{end}{indent}")
        };
        Some(vec![Edit { span: Span::new(span.file, start, start), replacement: entry }])
    }

    /// Whether the key at `span` has a key `name` beside it in its table; also true once too much has been looked at.
    pub(super) fn has_beside(&self, span: Span, name: &str) -> bool {
        let Some(at) = self.at(span) else { return false };
        let is_key = |i: usize| {
            let next = (i + 1..self.tokens.len()).find(|n| self.tokens[*n].kind != Kind::Space);
            self.tokens[i].kind == Kind::Word
                && next.is_some_and(|n| matches!(self.tokens[n].kind, Kind::Equals | Kind::Colon))
        };
        if !is_key(at) {
            return false;
        }
        let depth = self.depths[at];
        let outside = |i: &usize| self.depths[*i] < depth;
        let from = (0..at).rev().find(|i| outside(i) || self.is_header(*i)).unwrap_or(0);
        let to =
            (at..self.tokens.len()).find(|i| outside(i) || self.is_header(*i)).unwrap_or(self.tokens.len());
        self.beside.set(self.beside.get().saturating_sub(to - from));
        if self.beside.get() == 0 {
            return true;
        }
        (from..to)
            .filter(|i| *i != at && self.depths[*i] == depth && is_key(*i))
            .any(|i| self.tokens[i].text.trim_matches(['"', '\'']) == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    /// The text after what begins at `mark` is dropped; `None` when that is not certain.
    fn dropped(text: &str, mark: &str, format: Format) -> Option<String> {
        let start = text.find(mark)?;
        let edits = Lexed::new(text, format).drop(Span::new(FileId(0), start, start + mark.len()))?;
        let mut text = text.to_owned();
        for edit in edits.iter().rev() {
            text.replace_range(edit.span.range(), "");
        }
        Some(text)
    }

    #[test]
    fn toml_entries_go_with_their_line_or_their_comma() {
        let drop = |text, mark| dropped(text, mark, Format::Toml);
        assert_eq!(drop("a = 1\nbb = [\n 1,\n]\nc = 2\n", "bb").unwrap(), "a = 1\nc = 2\n");
        assert_eq!(drop("a = 1\nb = true # why\nc = 2\n", "true").unwrap(), "a = 1\n# why\nc = 2\n");
        assert_eq!(drop("x = { a = 1, b = 2 }", "a").unwrap(), "x = { b = 2 }");
        assert_eq!(drop("x = { a = 1, b = 2 }", "b").unwrap(), "x = { a = 1 }");
        assert_eq!(drop("x = { b = 2 }", "b").unwrap(), "x = { }");
        assert_eq!(
            drop("x = [\n  \"a\",\n  \"b\", # two\n  \"c\",\n]\n", "\"a\"").unwrap(),
            "x = [\n  \"b\", # two\n  \"c\",\n]\n"
        );
        assert_eq!(
            drop("x = [\n  \"a\", # one\n  \"b\"\n]\n", "\"b\"").unwrap(),
            "x = [\n  \"a\" # one\n]\n"
        );
        assert_eq!(drop("t.a.bb = 1\nd = 2", "bb").unwrap(), "d = 2");
        assert_eq!(drop("t.a.bb = 1\nd = 2", "a.bb"), None);
        assert_eq!(drop("b = [\n 1, # one\n 2,\n]\n", "b"), None);
    }

    #[test]
    fn toml_tables_go_when_they_are_one_piece() {
        let drop = |text, mark| dropped(text, mark, Format::Toml);
        assert_eq!(drop("[t.a]\nx = 1\n\n# of b\n[t.b]\ny = 1\n", "a").unwrap(), "\n# of b\n[t.b]\ny = 1\n");
        assert_eq!(drop("[o]\n[t.a]\nx = 1", "a").unwrap(), "[o]\n");
        assert_eq!(drop("[t.a]\n# why\nx = 1\n", "a"), None);
        assert_eq!(drop("[t.a]\nx = 1\n[o]\n[t.a.b]\n", "a"), None);
    }

    #[test]
    fn keys_beside_are_seen() {
        let beside = |text: &str, mark: &str, name: &str, format| {
            let start = text.find(mark).unwrap();
            Lexed::new(text, format).has_beside(Span::new(FileId(0), start, start + mark.len()), name)
        };
        assert!(beside("x = { ab = 1, b = { c = 2 } }", "ab", "b", Format::Toml));
        assert!(!beside("x = { ab = 1, b = { c = 2 } }", "ab", "c", Format::Toml));
        assert!(beside("[t]\na = [\n1]\nbb = 2\n[u]\nc = 1", "bb", "a", Format::Toml));
        assert!(!beside("[t]\na = 1\nbb = 2\n[u]\nc = 1", "bb", "c", Format::Toml));
        assert!(beside(r#"{"a": {"b": 1}, "cc": 2}"#, "\"cc\"", "a", Format::Json));
        assert!(!beside(r#"{"a": {"b": 1}, "cc": 2}"#, "\"cc\"", "b", Format::Json));
    }

    #[test]
    fn twins_go_and_others_stay() {
        let twin = |text: &str, first: &str, second: &str| {
            let at = |n: usize| Span::new(FileId(0), n, n);
            let (first, second) = (text.find(first).unwrap(), text.rfind(second).unwrap());
            Lexed::new(text, Format::Toml).drop_twin(at(second), at(first)).is_some()
        };
        assert!(twin("a = 1\nb = 2\na  = 1 # again\n", "a", "a  ="));
        assert!(!twin("a = 1\nb = 2\na = 3\n", "a =", "a ="));
        assert!(twin("[t.q]\na = 1\n[t.r]\n[t.q]\na = 1", "q", "q"));
    }

    #[test]
    fn json_entries_go_with_their_comma() {
        let drop = |text, mark| dropped(text, mark, Format::Json);
        assert_eq!(drop(r#"{"a": 1, "b": {"c": [2]}}"#, "\"b\"").unwrap(), r#"{"a": 1}"#);
        assert_eq!(drop(r#"{"a": 1, "b": {"c": [2]}}"#, "\"a\"").unwrap(), r#"{"b": {"c": [2]}}"#);
        assert_eq!(drop("{\n  \"a\": 1, // one\n  \"b\": 2\n}", "2").unwrap(), "{\n  \"a\": 1 // one\n}");
        assert_eq!(drop("{\n  \"a\": 1,\n  \"b\": 2\n}", "\"b\"").unwrap(), "{\n  \"a\": 1\n}");
    }
}
