//! TOML through the events of `toml_parser`. This file decodes keys and values; `document` keeps the rules on which
//! table may be opened where.

mod document;

use std::borrow::Cow;

use serde_json::Number;
use toml_parser::decoder::{Encoding, ScalarKind, StringBuilder};
use toml_parser::lexer::{Token, TokenKind};
use toml_parser::parser::{EventReceiver, RecursionGuard, ValidateWhitespace, parse_document};
use toml_parser::{ErrorSink, Expected, ParseError, Raw, Source};

use crate::diagnostic::{Diagnostic, Location};
use crate::rules;
use crate::source::{FileId, Span, Spanned};
use crate::tree::{MAX_DEPTH, Node, TextBuilder, Tree, number};
use document::Document;

/// Findings of one file that are kept; a file of garbage would otherwise give one per byte.
const MAX_ERRORS: usize = 100;

/// Tokens that are read before they are parsed.
const PIECE: usize = 4096;

pub(crate) fn parse(file: FileId, text: &str, out: &mut Vec<Diagnostic>) -> Tree {
    parse_in_pieces(file, text, PIECE, out)
}

fn parse_in_pieces(file: FileId, text: &str, piece: usize, out: &mut Vec<Diagnostic>) -> Tree {
    // A byte order mark is allowed and means nothing; spans count it.
    let source = Source::new(text);
    let mut receiver = Receiver::new(file, source, text.len());
    let mut errors: Vec<ParseError> = Vec::new();
    {
        let mut whitespace = ValidateWhitespace::new(&mut receiver, source);
        let mut guard = RecursionGuard::new(&mut whitespace, u32::try_from(MAX_DEPTH).unwrap_or(u32::MAX));
        let mut sink = |error: ParseError| {
            if errors.len() < MAX_ERRORS {
                errors.push(error);
            }
        };
        pieces(source, piece, &mut |tokens| parse_document(tokens, &mut guard, &mut sink));
    }
    let mut findings: Vec<Diagnostic> = errors.iter().map(|e| explain(file, text, e)).collect();
    findings.append(&mut receiver.findings);
    findings.append(&mut receiver.document.findings);
    findings.sort_by(|a, b| a.primary.at.cmp(&b.primary.at));
    // Of one line the first syntax error counts: the others are mostly its consequences.
    let line = |d: &Diagnostic| match d.primary.at {
        Location::Span(span) => text[..span.range().start.min(text.len())].rfind('\n'),
        Location::Pointer(_) => None,
    };
    let mut told = None;
    findings.retain(|d| d.rule != rules::syntax::RULE.id || told.replace(line(d)) != Some(line(d)));
    findings.truncate(MAX_ERRORS);
    out.append(&mut findings);
    receiver.document.finish()
}

/// The tokens in pieces of at least so many, so that those of a large file are not all there at once. A piece ends with a
/// line, where no bracket is open; after a bracket that closes none, the rest is one piece.
fn pieces(source: Source<'_>, least: usize, each: &mut dyn FnMut(&[Token])) {
    let mut piece = Vec::new();
    let mut open: Vec<TokenKind> = Vec::new();
    let mut fits = true;
    for token in source.lex() {
        let kind = token.kind();
        piece.push(token);
        match kind {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => open.push(kind),
            TokenKind::RightSquareBracket => fits &= open.pop() == Some(TokenKind::LeftSquareBracket),
            TokenKind::RightCurlyBracket => fits &= open.pop() == Some(TokenKind::LeftCurlyBracket),
            TokenKind::Newline if piece.len() >= least && fits && open.is_empty() => {
                each(&piece);
                piece.clear();
            }
            _ => {}
        }
    }
    each(&piece);
}

/// A parse error in our words.
fn explain(file: FileId, text: &str, error: &ParseError) -> Diagnostic {
    let at = error.unexpected().or(error.context()).unwrap_or_default();
    let mut span = Span::new(file, at.start(), at.end());
    let message = match error.description() {
        "cannot recurse further; max recursion depth met" => return rules::syntax::too_deep(span),
        "key with no value" | "missing value for key" => "this key has no value",
        "string values must be quoted" => "this is not a value; text must be in quotes",
        "unexpected content" if text[at.start().min(text.len())..].starts_with('=') => "unexpected `=`",
        other => other,
    };
    if message == "this key has no value" {
        // point at the key, not at the newline after it
        let before = text[..at.start().min(text.len())].trim_end_matches([' ', '\t']);
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let indent = before[start..].len() - before[start..].trim_start().len();
        span = Span::new(file, start + indent, before.len());
    }
    let label = match error.expected() {
        Some(expected) if !expected.is_empty() => {
            let words: Vec<Cow<'_, str>> = expected
                .iter()
                .filter_map(|e| match e {
                    Expected::Literal("\n") => Some("a newline".into()),
                    Expected::Literal(text) => Some(format!("`{text}`").into()),
                    Expected::Description(text) => Some((*text).into()),
                    _ => None,
                })
                .collect();
            format!("expected {}", words.join(" or "))
        }
        _ => "here".to_owned(),
    };
    rules::syntax::report(span, message, &label)
}

struct Receiver<'s> {
    file: FileId,
    source: Source<'s>,
    document: Document,
    /// The key being read.
    path: Vec<Spanned<String>>,
    /// Set between `[` and `]` (or `[[` and `]]`): where the header started.
    header: Option<Span>,
    /// How many inline tables and arrays are open.
    open: usize,
    findings: Vec<Diagnostic>,
}

impl<'s> Receiver<'s> {
    fn new(file: FileId, source: Source<'s>, len: usize) -> Self {
        let document = Document::new(file, len);
        Self { file, source, document, path: Vec::new(), header: None, open: 0, findings: Vec::new() }
    }

    fn span(&self, span: toml_parser::Span) -> Span {
        Span::new(self.file, span.start(), span.end())
    }

    fn add(&mut self, finding: Diagnostic) {
        if self.findings.len() < MAX_ERRORS {
            self.findings.push(finding);
        }
    }

    /// Starts a header. Should it not end well, what follows belongs to no table.
    fn start(&mut self, span: toml_parser::Span) {
        self.path.clear();
        self.open = 0;
        self.header = Some(self.span(span));
        self.document.leave(self.span(span));
    }

    fn table(&mut self, span: toml_parser::Span, array: bool) {
        let span = self.header.take().unwrap_or_default().to(self.span(span));
        self.document.open_table(&mut self.path, array, span);
    }
}

impl EventReceiver for Receiver<'_> {
    fn std_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.start(span);
    }

    fn std_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.table(span, false);
    }

    fn array_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.start(span);
    }

    fn array_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.table(span, true);
    }

    fn inline_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        let span = self.span(span);
        self.document.open_inline(&mut self.path, span);
        self.open += 1;
        true
    }

    fn inline_table_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.open = self.open.saturating_sub(1);
        self.document.close(self.span(span));
        self.path.clear();
    }

    fn array_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        let span = self.span(span);
        self.document.open_array(&mut self.path, span);
        self.open += 1;
        true
    }

    fn array_close(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.open = self.open.saturating_sub(1);
        self.document.close(self.span(span));
        self.path.clear();
    }

    fn newline(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        if self.open == 0 {
            self.path.clear(); // of a key without a value
        }
    }

    fn simple_key(&mut self, span: toml_parser::Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let place = self.span(span);
        if span.is_empty() {
            self.add(rules::syntax::report(place, "a key is missing", "expected a key"));
        }
        let Some(raw) = self.source.get(span) else { return };
        let mut key = String::new();
        Raw::new_unchecked(raw.as_str(), encoding, span).decode_key(&mut key, error);
        self.path.push(Spanned::new(key, place));
    }

    fn scalar(&mut self, span: toml_parser::Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let place = self.span(span);
        if span.is_empty() {
            self.add(rules::syntax::report(place, "a value is missing", "expected a value"));
            self.document.scalar(&mut self.path, Tree { node: Node::Error, span: place });
            return;
        }
        let Some(raw) = self.source.get(span) else {
            self.path.clear();
            return;
        };
        let raw = Raw::new_unchecked(raw.as_str(), encoding, span);
        let mut failed = false;
        let mut sink = |e: ParseError| {
            failed = true;
            error.report_error(e);
        };
        let mut pieces =
            Pieces { source: self.source.input(), start: span.start(), text: TextBuilder::default() };
        let kind = raw.decode_scalar(&mut pieces, &mut sink);
        let text = pieces.text.finish(span.start());
        let node = match kind {
            _ if failed => Node::Error,
            ScalarKind::String | ScalarKind::DateTime => Node::String(text),
            ScalarKind::Boolean(b) => Node::Bool(b),
            ScalarKind::Integer(radix) => integer(&text.value, radix.value()).map_or_else(
                || {
                    let message = format!("the integer `{}` is too large", raw.as_str());
                    self.add(rules::syntax::report(place, &message, "here"));
                    Node::Error
                },
                Node::Number,
            ),
            ScalarKind::Float => float(&text.value).map_or_else(
                || {
                    let message = format!("`{}` has no JSON form", raw.as_str());
                    self.add(rules::syntax::report(place, &message, "only finite numbers are values here"));
                    Node::Error
                },
                Node::Number,
            ),
        };
        self.document.scalar(&mut self.path, Tree { node, span: place });
    }
}

fn integer(digits: &str, radix: u32) -> Option<Number> {
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if radix == 10 {
        return number(digits);
    }
    u128::from_str_radix(digits, radix).ok()?.to_string().parse().ok()
}

fn float(digits: &str) -> Option<Number> {
    digits.strip_prefix('+').unwrap_or(digits).parse().ok()
}

/// Where the pieces of a decoded string come from: a piece is a slice of the source, so its address says where.
struct Pieces<'s> {
    source: &'s str,
    start: usize,
    text: TextBuilder,
}

impl<'s> StringBuilder<'s> for Pieces<'s> {
    fn clear(&mut self) {
        self.text = TextBuilder::default();
    }

    fn push_str(&mut self, append: &'s str) -> bool {
        let at = (append.as_ptr() as usize).wrapping_sub(self.source.as_ptr() as usize);
        let at = if at <= self.source.len() { at } else { self.text.file_end().max(self.start) };
        self.text.push_str(append, at);
        true
    }

    fn push_char(&mut self, append: char) -> bool {
        let at = self.text.file_end().max(self.start);
        self.text.push_char(append, at);
        true
    }
}

#[cfg(test)]
mod tests;
