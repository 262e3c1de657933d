//! Asks the compiler about an operation type alone, through a workflow's text that declares nothing else.

use std::ops::Range;

use pop_compiler::agenda::RunSpec;
use pop_compiler::diagnostic::{Location, Severity};
use pop_compiler::source::Source;
use pop_compiler::{Format, Options};
use proc_macro2::Span;
use serde_json::Value;
use syn::{Error, Ident, LitStr};

use super::arguments::Arguments;
use super::setting::Setting;

/// The compiler's findings, at the tokens that they speak of.
pub(super) fn check(arguments: &Arguments, names: &[(&Ident, String)]) -> Vec<Error> {
    let mut text = Text::default();
    text.push("{\"workflow\": {\"name\": \"operation\"}, \"catalog\": ");
    text.operation_type(arguments, names);
    // The operation behind it keeps the workflow from being empty; what is found there is not the user's.
    let end = text.json.len();
    text.push(r#", "operations": {"log": {"uses": "pop.log", "with": {"message": ""}}}}"#);
    let source = Source::new("operation", text.json.as_str());
    let compiled = pop_compiler::compile(source, Format::Json, &Options::default());
    let findings = compiled.diagnostics.iter().filter(|finding| {
        let inside = matches!(&finding.primary.at, Location::Span(span) if (span.start as usize) < end);
        finding.severity == Severity::Error && inside
    });
    findings
        .map(|finding| {
            let span = match finding.primary.at {
                Location::Span(place) => text.token_at(place.start as usize),
                Location::Pointer(_) => None,
            };
            Error::new(span.unwrap_or(arguments.name.span()), crate::findings::message(finding))
        })
        .collect()
}

/// How an operation of the type runs, in the form of agendas. The type must have been checked.
pub(super) fn run_spec(arguments: &Arguments, names: &[(&Ident, String)]) -> RunSpec {
    let mut text = Text::default();
    text.push("{\"operations\": ");
    text.operation_type(arguments, names);
    text.push("}");
    let loaded = pop_compiler::load_catalog(&Source::new("operation.json", text.json.as_str()));
    let made = loaded.catalog.get(&arguments.name.value());
    made.map(|made| made.run.clone()).unwrap_or_default()
}

/// A JSON text, and the tokens of its pieces.
#[derive(Default)]
struct Text {
    json: String,
    /// In the order in which they end, so an inner piece comes before the one around it.
    tokens: Vec<(Range<usize>, Span)>,
}

impl Text {
    fn push(&mut self, piece: &str) {
        self.json.push_str(piece);
    }

    fn piece(&mut self, span: Span, write: impl FnOnce(&mut Self)) {
        let start = self.json.len();
        write(self);
        self.tokens.push((start..self.json.len(), span));
    }

    fn token_at(&self, place: usize) -> Option<Span> {
        self.tokens.iter().find(|(range, _)| range.contains(&place)).map(|(_, span)| *span)
    }

    fn string(&mut self, text: &str) {
        self.push(&Value::from(text).to_string());
    }

    fn key(&mut self, name: &str, span: Span) {
        if !self.json.ends_with('{') {
            self.push(", ");
        }
        self.piece(span, |text| text.string(name));
        self.push(": ");
    }

    /// `{"name": {…}}`
    fn operation_type(&mut self, arguments: &Arguments, names: &[(&Ident, String)]) {
        let name = &arguments.name;
        self.push("{");
        self.key(&name.value(), name.span());
        self.push("{");
        self.key("input", name.span());
        self.push("{");
        for (rust, json) in names {
            self.key(json, rust.span());
            self.string("any");
        }
        self.push("}");
        let texts = [("command", &arguments.command), ("args", &arguments.args)];
        for (key, words) in texts.into_iter().filter(|(_, words)| !words.is_empty()) {
            self.key(key, arguments.key(key));
            self.push("[");
            for (i, word) in words.iter().enumerate() {
                self.push(if i == 0 { "" } else { ", " });
                self.literal(word);
            }
            self.push("]");
        }
        let texts =
            [("stdin", &arguments.stdin), ("stdout", &arguments.stdout_text), ("image", &arguments.image)];
        for (key, value) in texts {
            if let Some(value) = value {
                self.key(key, arguments.key(key));
                self.literal(value);
            }
        }
        for (key, value) in &arguments.settings {
            self.key(&key.to_string(), key.span());
            self.setting(value);
        }
        self.push("}}");
    }

    fn literal(&mut self, literal: &LitStr) {
        self.piece(literal.span(), |text| text.string(&literal.value()));
    }

    /// Recursion is bounded by the depth of the tokens.
    fn setting(&mut self, setting: &Setting) {
        match setting {
            Setting::Plain(json, span) => self.piece(*span, |text| text.push(json)),
            Setting::List(items, span) => self.piece(*span, |text| {
                text.push("[");
                for (i, item) in items.iter().enumerate() {
                    text.push(if i == 0 { "" } else { ", " });
                    text.setting(item);
                }
                text.push("]");
            }),
            Setting::Table(entries, span) => self.piece(*span, |text| {
                text.push("{");
                for (key, value) in entries {
                    text.key(&key.name, key.span);
                    text.setting(value);
                }
                text.push("}");
            }),
        }
    }
}
