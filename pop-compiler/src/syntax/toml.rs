//! TOML through the events of `toml_parser`. This file decodes keys and values; `document` keeps the rules on which
//! table may be opened where, and `broken` reads what the parser does not take.

mod broken;
mod document;
mod missing;
mod nesting;
mod repair;

use serde_json::Number;
use toml_parser::decoder::{Encoding, ScalarKind, StringBuilder};
use toml_parser::lexer::{Token, TokenKind};
use toml_parser::parser::{EventReceiver, ValidateWhitespace, parse_document};
use toml_parser::{ErrorSink, ParseError, Raw, Source};

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span, Spanned};
use crate::syntax::rules;
use crate::tree::{Node, TextBuilder, Tree, number};
use document::Document;
use nesting::Nesting;

/// Findings of one file that are kept; a file of garbage would otherwise give one per byte.
const MAX_ERRORS: usize = 100;

/// What is said of brackets that nest too deeply.
const TOO_DEEP: &str = "too deep";

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
        let mut guard = Nesting::new(&mut whitespace);
        let mut sink = |error: ParseError| {
            if errors.len() < MAX_ERRORS {
                errors.push(error);
            }
        };
        pieces(source, piece, &mut |tokens| parse_document(tokens, &mut guard, &mut sink));
    }
    if errors.is_empty() && receiver.findings.is_empty() {
        out.append(&mut receiver.document.findings);
        return receiver.document.finish();
    }
    broken::read(file, text, out)
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
            self.add(rules::syntax::report(place, "missing key", "expected a key"));
        }
        let Some(raw) = self.source.get(span) else { return };
        let mut key = String::new();
        Raw::new_unchecked(raw.as_str(), encoding, span).decode_key(&mut key, error);
        self.path.push(Spanned::new(key, place));
    }

    fn scalar(&mut self, span: toml_parser::Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let place = self.span(span);
        if span.is_empty() {
            self.add(rules::syntax::report(place, "missing value", "expected a value"));
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
                    let message = format!("invalid number `{}`: JSON has no such number", raw.as_str());
                    self.add(rules::syntax::report(place, &message, "only finite numbers are supported"));
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
