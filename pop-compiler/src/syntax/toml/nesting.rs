//! How deep tables and lists nest, so that a parser which calls itself for each can't overflow the stack. A bracket that
//! closes another kind than the innermost open one closes nothing: were it counted, the depth would never be reached.

use toml_parser::decoder::Encoding;
use toml_parser::parser::EventReceiver;
use toml_parser::{ErrorSink, ParseError, Span};

use crate::tree::MAX_DEPTH;

/// Passes everything on, but no brackets that nest too deeply or close nothing.
pub(super) struct Nesting<'r> {
    receiver: &'r mut dyn EventReceiver,
    /// Of each bracket that is open whether it is one of a list.
    open: Vec<bool>,
}

impl<'r> Nesting<'r> {
    pub(super) fn new(receiver: &'r mut dyn EventReceiver) -> Self {
        Self { receiver, open: Vec::new() }
    }

    fn opened(&mut self, list: bool, allowed: bool, span: Span, error: &mut dyn ErrorSink) -> bool {
        self.open.push(list);
        let fits = self.open.len() <= MAX_DEPTH;
        if allowed && !fits {
            error.report_error(ParseError::new(super::TOO_DEEP).with_unexpected(span));
        }
        allowed && fits
    }

    fn closes(&mut self, list: bool) -> bool {
        let closes = self.open.last() == Some(&list);
        if closes {
            self.open.pop();
        }
        closes
    }

    /// What stands outside of brackets leaves none of them open.
    fn outside(&mut self) {
        self.open.clear();
    }
}

impl EventReceiver for Nesting<'_> {
    fn std_table_open(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.outside();
        self.receiver.std_table_open(span, error);
    }

    fn std_table_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.std_table_close(span, error);
    }

    fn array_table_open(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.outside();
        self.receiver.array_table_open(span, error);
    }

    fn array_table_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.array_table_close(span, error);
    }

    fn inline_table_open(&mut self, span: Span, error: &mut dyn ErrorSink) -> bool {
        let allowed = self.receiver.inline_table_open(span, error);
        self.opened(false, allowed, span, error)
    }

    fn inline_table_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        if self.closes(false) {
            self.receiver.inline_table_close(span, error);
        }
    }

    fn array_open(&mut self, span: Span, error: &mut dyn ErrorSink) -> bool {
        let allowed = self.receiver.array_open(span, error);
        self.opened(true, allowed, span, error)
    }

    fn array_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        if self.closes(true) {
            self.receiver.array_close(span, error);
        }
    }

    fn simple_key(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        self.receiver.simple_key(span, encoding, error);
    }

    fn key_sep(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.key_sep(span, error);
    }

    fn key_val_sep(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.key_val_sep(span, error);
    }

    fn scalar(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        self.receiver.scalar(span, encoding, error);
    }

    fn value_sep(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.value_sep(span, error);
    }

    fn whitespace(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.whitespace(span, error);
    }

    fn comment(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.comment(span, error);
    }

    fn newline(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.newline(span, error);
    }

    fn error(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.receiver.error(span, error);
    }
}
