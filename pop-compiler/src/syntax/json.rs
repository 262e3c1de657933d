//! JSON with comments, through `jsonc-parser`. The parser stops at the first syntax error; a text that is nearly JSON is
//! read by its lenient form, with a finding for each liberty (`loose`). Where nothing is to be said about a text, its
//! tokens become the tree (`direct`).

mod direct;
mod loose;

use std::borrow::Cow;

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Range;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::diagnostic::Diagnostic;
use crate::limit;
use crate::rules;
use crate::source::{FileId, Span, Spanned};
use crate::tree::{Entry, KeyIndex, MAX_DEPTH, Node, Table, Text, TextBuilder, Tree, number};

const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(crate) fn parse(file: FileId, text: &str, out: &mut Vec<Diagnostic>) -> Tree {
    if let Some(text) = unmarked(text) {
        return parse(file, &text, out);
    }
    direct::read(file, text).unwrap_or_else(|| {
        // apart from what others found, for callers ask whether something was found here
        let mut found = Vec::new();
        let tree = explained(file, text, &mut found);
        out.append(&mut found);
        tree
    })
}

/// The text with spaces for its byte order mark, which means nothing but which the parser does not take.
pub(super) fn unmarked(text: &str) -> Option<String> {
    text.strip_prefix('\u{feff}').map(|rest| format!("   {rest}"))
}

/// The tree of any text, and what is wrong with it.
fn explained(file: FileId, text: &str, out: &mut Vec<Diagnostic>) -> Tree {
    let broken = |span| Tree { node: Node::Error, span };
    match parse_to_ast(text, &CollectOptions::default(), &OPTIONS) {
        Ok(parsed) => {
            if let Some(value) = parsed.value {
                return Reader { file, text, out }.read(value, 0);
            }
            let span = Span::new(file, 0, 0);
            out.push(rules::syntax::report(span, "the file is empty", "expected a JSON object"));
            broken(span)
        }
        Err(error) => {
            if let Ok(parsed) = parse_to_ast(text, &CollectOptions::default(), &loose::OPTIONS)
                && let Some(value) = parsed.value
            {
                let before = out.len();
                loose::liberties(file, text, &value, out);
                if out.len() > before {
                    return Reader { file, text, out }.read(value, 0);
                }
            }
            let Range { start, end } = loose::open_string(text, error.range().start).unwrap_or(error.range());
            let span = Span::new(file, start, end);
            let message = match error.kind() {
                ParseErrorKind::NestingDepthExceeded => return too_deep(span, out),
                _ if start < error.range().start => "this string is not closed on its line".to_owned(),
                ParseErrorKind::String(kind) => lowercase(&kind.to_string()),
                kind => lowercase(&kind.to_string()),
            };
            out.push(rules::syntax::report(span, &message, "here"));
            broken(Span::new(file, 0, text.len()))
        }
    }
}

fn lowercase(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn too_deep(span: Span, out: &mut Vec<Diagnostic>) -> Tree {
    out.push(rules::syntax::too_deep(span));
    Tree { node: Node::Error, span }
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    out: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn span(&self, range: Range) -> Span {
        Span::new(self.file, range.start, range.end)
    }

    /// Recursion is bounded by [`MAX_DEPTH`].
    fn read(&mut self, value: Value<'_>, depth: usize) -> Tree {
        match value {
            Value::NullKeyword(n) => Tree { node: Node::Null, span: self.span(n.range) },
            Value::BooleanLit(b) => Tree { node: Node::Bool(b.value), span: self.span(b.range) },
            Value::NumberLit(n) => {
                let span = self.span(n.range);
                let node = number(n.value).map_or_else(
                    || {
                        let message = format!("`{}` is not a number", n.value);
                        self.out.push(rules::syntax::report(span, &message, "here"));
                        limit::hold(self.out);
                        Node::Error
                    },
                    Node::Number,
                );
                Tree { node, span }
            }
            Value::StringLit(s) => {
                let span = self.span(s.range);
                Tree { node: Node::String(text_of(self.text, s.value, span.range())), span }
            }
            Value::Array(a) => {
                let span = self.span(a.range);
                if depth >= MAX_DEPTH {
                    return too_deep(Span::new(self.file, a.range.start, a.range.start + 1), self.out);
                }
                let items = a.elements.into_iter().map(|v| self.read(v, depth + 1)).collect();
                Tree { node: Node::List(items), span }
            }
            Value::Object(o) => {
                let span = self.span(o.range);
                if depth >= MAX_DEPTH {
                    return too_deep(Span::new(self.file, o.range.start, o.range.start + 1), self.out);
                }
                let mut table =
                    Table { entries: Vec::with_capacity(o.properties.len()), index: KeyIndex::default() };
                for prop in o.properties {
                    let range = match &prop.name {
                        ObjectPropName::String(s) => s.range,
                        ObjectPropName::Word(w) => w.range,
                    };
                    let key = Spanned::new(prop.name.into_string(), self.span(range));
                    let value = self.read(prop.value, depth + 1);
                    let Table { entries, index } = &mut table;
                    match index.find(&key.value, entries.len(), |i| &entries[i].key.value) {
                        Some(first) => {
                            let first = table.entries[first].key.span;
                            self.out.push(rules::duplicate_name::key(&key, first));
                            limit::hold(self.out);
                        }
                        None => table.entries.push(Entry { key, value }),
                    }
                }
                Tree { node: Node::Table(table), span }
            }
        }
    }
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
