//! JSON with comments. Where nothing is to be said about a text, its tokens become the tree (`direct`); any other text is
//! read with a finding for each fault, as if that were mended (`recover`).

mod direct;
mod foreign;
mod recover;
mod strings;
mod tokens;

use std::borrow::Cow;

use crate::diagnostic::Diagnostic;
use crate::source::FileId;
use crate::tree::{Text, TextBuilder, Tree};

pub(crate) fn parse(file: FileId, text: &str, out: &mut Vec<Diagnostic>) -> Tree {
    direct::read(file, text).unwrap_or_else(|| recover::read(file, text, out))
}

/// A string of the source, which is written at `range`.
fn text_of(source: &str, value: Cow<'_, str>, range: std::ops::Range<usize>) -> Text {
    let start = range.start + 1;
    let value = match value {
        // the parser borrows what has no escapes
        Cow::Borrowed(plain) => return Text::plain(plain.to_owned(), start),
        Cow::Owned(value) => value,
    };
    let raw = source.get(start..range.end.saturating_sub(1)).unwrap_or_default();
    let mut builder = TextBuilder::default();
    let mut at = 0;
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        let tail = raw.get(at..).unwrap_or_default();
        let width = match tail.as_bytes() {
            [b'\\', b'u', ..] if c.len_utf16() == 2 => 12,
            [b'\\', b'u', ..] => 6,
            [b'\\', ..] => 2,
            _ => {
                // a run without escapes
                let run = tail.find('\\').unwrap_or(tail.len());
                builder.push_str(&tail[..run], start + at);
                let skipped = tail[..run].chars().count().saturating_sub(1);
                rest.by_ref().take(skipped).for_each(drop);
                at += run;
                continue;
            }
        };
        builder.push_char(c, start + at);
        at += width;
    }
    builder.finish(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Node;

    fn read(text: &str) -> (Tree, Vec<Diagnostic>) {
        let mut out = Vec::new();
        let tree = parse(FileId(0), text, &mut out);
        (tree, out)
    }

    #[test]
    fn comments_and_escapes_are_read_with_spans() {
        let source = "{ // hi\n \"a\": \"x\\u00e9\\n${b}\", }";
        let (tree, out) = read(source);
        assert!(out.is_empty(), "{out:?}");
        let Node::Table(table) = tree.node else { panic!("not a table") };
        let Node::String(text) = &table.entries[0].value.node else { panic!("not a string") };
        assert_eq!(text.value, "xé\n${b}");
        let span = text.span(FileId(0), 4, 8);
        assert_eq!(&source[span.range()], "${b}");
        assert_eq!(&source[table.entries[0].key.span.range()], "\"a\"");
    }

    #[test]
    fn duplicate_keys_are_found_with_both_places() {
        let (_, out) = read(r#"{"a":1,"a":2}"#);
        assert_eq!(out.len(), 1);
        assert_eq!((out[0].rule, out[0].secondary.len()), ("duplicate-name", 1));
    }

    #[test]
    fn hostile_nesting_ends_in_one_finding() {
        for depth in [200, 100_000] {
            let (_, out) = read(&"[".repeat(depth));
            assert_eq!(out.len(), 1);
            let closed = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let (_, out) = read(&closed);
            assert_eq!(out.len(), 1, "{depth}");
        }
    }
}
