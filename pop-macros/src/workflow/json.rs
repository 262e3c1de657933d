//! The workflow in the JSON form of the language, and which token each piece of it came from.

use std::borrow::Cow;
use std::ops::Range;

use pop_compiler::{reference, write_name};
use proc_macro2::Span;
use quote::ToTokens;
use serde_json::Value as Json;
use syn::{Lit, LitStr};

use super::tree::{
    Fallback, Field, Operation, Part, Reference, RunSetting, Segment, Setting, Start, Value, Workflow,
};
use super::types::type_text;
use crate::fields::plain;

/// The operation type of an operation whose own can't be read.
pub(super) const UNREAD: &str = "?";

/// A text and where its pieces came from.
#[expect(clippy::struct_field_names, reason = "the text of a text is its text")]
pub(super) struct Text {
    pub(super) text: String,
    /// In the order in which they end, so an inner piece comes before the one around it.
    pub(super) spans: Vec<(Range<usize>, Span)>,
    pub(super) owners: Vec<(Range<usize>, Owner)>,
    /// References whose place has a Rust type.
    pub(super) typed: Vec<Range<usize>>,
    /// Constants: what they are in JSON is not known here.
    pub(super) constants: Vec<Range<usize>>,
}

/// What a piece of the text belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Input(usize),
    /// The settings of the run.
    Run,
    /// The operation with this index.
    Operation(usize),
    Result,
}

/// The workflow as JSON.
pub(super) fn write(workflow: &Workflow) -> Text {
    let mut out = Writer {
        out: Text {
            text: String::new(),
            spans: Vec::new(),
            owners: Vec::new(),
            typed: Vec::new(),
            constants: Vec::new(),
        },
        workflow,
        inside: None,
        default: false,
        untyped: false,
    };
    out.workflow();
    out.out
}

/// The workflow's name in the language.
pub(super) fn name(workflow: &Workflow) -> String {
    workflow.name.as_ref().map_or_else(|| plain(&workflow.ident).replace('_', "-"), syn::LitStr::value)
}

/// The outputs: name and value.
pub(super) fn outputs(workflow: &Workflow) -> Vec<(String, &Value)> {
    match &workflow.result {
        None => Vec::new(),
        Some(Value::Record(_, fields, _)) => fields.iter().map(|f| (plain(&f.ident), &f.value)).collect(),
        Some(value) => vec![(single(value), value)],
    }
}

/// The name of a single output: the last field of the reference, or `result`.
pub(super) fn single(value: &Value) -> String {
    let last = match value {
        Value::Reference(reference) => reference.path.iter().rev().find_map(|s| match s {
            Segment::Field(ident) => Some(plain(ident)),
            Segment::Key(key) => Some(key.value()),
            _ => None,
        }),
        _ => None,
    };
    last.unwrap_or_else(|| "result".into())
}

/// What stands in the JSON form for a constant: a mark that no keyboard has, and its Rust path.
pub(super) fn constant(path: &syn::Path) -> String {
    format!("\u{e000}{}", kind(path))
}

/// The name of an operation type inside the JSON form: its Rust path.
pub(super) fn kind(path: &syn::Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

struct Writer<'w> {
    out: Text,
    workflow: &'w Workflow,
    /// The operation that is being written.
    inside: Option<&'w Operation>,
    /// Whether this is inside an input's default.
    default: bool,
    /// Whether this is inside `json!`.
    untyped: bool,
}

impl<'w> Writer<'w> {
    fn raw(&mut self, text: &str) {
        self.out.text.push_str(text);
    }

    /// A JSON string that came from a token.
    fn string(&mut self, text: &str, span: Span) {
        let start = self.out.text.len();
        self.raw(&Json::from(text).to_string());
        self.out.spans.push((start..self.out.text.len(), span));
    }

    fn key(&mut self, first: &mut bool, key: &str, span: Span) {
        if !std::mem::replace(first, false) {
            self.raw(", ");
        }
        self.string(key, span);
        self.raw(": ");
    }

    fn workflow(&mut self) {
        let workflow = self.workflow;
        let at = workflow.ident.span();
        self.raw("{\"workflow\": {\"name\": ");
        let span = workflow.name.as_ref().map_or(at, syn::LitStr::span);
        self.string(&name(workflow), span);
        if let Some(version) = &workflow.version {
            self.raw(", \"version\": ");
            self.string(&version.value(), version.span());
        }
        if let Some(docs) = &workflow.docs {
            self.raw(", \"description\": ");
            self.string(docs, at);
        }
        self.raw("}, \"inputs\": {");
        let mut first = true;
        for (i, input) in workflow.inputs.iter().enumerate() {
            let start = self.out.text.len();
            self.key(&mut first, &plain(&input.ident), input.ident.span());
            self.raw("{\"type\": ");
            let mut span = input.ident.span();
            if let Some(first) = input.ty.to_token_stream().into_iter().next() {
                span = first.span();
            }
            self.string(&type_text(&input.ty), span);
            if let Some(default) = &input.default {
                self.raw(", \"default\": ");
                self.default = true;
                self.value(default);
                self.default = false;
            }
            if let Some(docs) = &input.docs {
                self.raw(", \"description\": ");
                self.string(docs, input.ident.span());
            }
            self.raw("}");
            self.owned(start, Owner::Input(i));
        }
        self.raw("}");
        if !workflow.run.is_empty() {
            self.raw(", \"run\": {");
            let (mut first, start) = (true, self.out.text.len());
            for (key, setting) in &workflow.run {
                self.key(&mut first, &plain(key), key.span());
                match setting {
                    RunSetting::Value(value) => self.value(value),
                    RunSetting::Plain(setting) => self.setting(setting),
                }
            }
            self.owned(start, Owner::Run);
            self.raw("}");
        }
        self.raw(", \"operations\": {");
        let mut first = true;
        for (i, operation) in workflow.operations.iter().enumerate() {
            let start = self.out.text.len();
            let at = operation.name.as_ref().map_or(operation.ident.span(), LitStr::span);
            self.key(&mut first, &operation.json_name(), at);
            self.inside = Some(operation);
            self.operation(operation);
            self.inside = None;
            self.owned(start, Owner::Operation(i));
        }
        self.raw("}, \"outputs\": {");
        let (mut first, start) = (true, self.out.text.len());
        for (name, value) in outputs(workflow) {
            self.key(&mut first, &name, at);
            self.value(value);
        }
        self.owned(start, Owner::Result);
        self.raw("}}");
    }

    fn owned(&mut self, start: usize, owner: Owner) {
        self.out.owners.push((start..self.out.text.len(), owner));
    }

    fn operation(&mut self, operation: &'w Operation) {
        self.raw("{\"uses\": ");
        match &operation.kind {
            Some(path) => {
                let span = path.segments.last().map_or(operation.ident.span(), |s| s.ident.span());
                self.string(&kind(path), span);
            }
            None => self.string(UNREAD, operation.ident.span()),
        }
        if let Some(docs) = &operation.docs {
            self.raw(", \"description\": ");
            self.string(docs, operation.ident.span());
        }
        if let Some(each) = &operation.each {
            self.raw(", \"each\": ");
            self.inside = None;
            self.value(&each.list);
            self.inside = Some(operation);
        }
        if operation.broken {
            self.raw("}");
            return;
        }
        self.raw(", \"with\": ");
        self.record(&operation.fields);
        if let Some((_, when)) = &operation.when {
            self.raw(", \"when\": ");
            self.value(when);
        }
        if !operation.after.is_empty() {
            self.raw(", \"after\": [");
            for (i, name) in operation.after.iter().enumerate() {
                self.raw(if i > 0 { ", " } else { "" });
                let text = match self.workflow.start(name, None) {
                    Start::Operation(other) => other.json_name(),
                    _ => plain(name),
                };
                self.string(&text, name.span());
            }
            self.raw("]");
        }
        for (key, setting) in &operation.settings {
            self.key(&mut false, &plain(key), key.span());
            self.setting(setting);
        }
        self.raw("}");
    }

    fn setting(&mut self, setting: &Setting) {
        match setting {
            Setting::Lit(lit, negative) => self.literal(lit, *negative),
            Setting::List(items, span) => {
                let start = self.out.text.len();
                self.raw("[");
                for (i, item) in items.iter().enumerate() {
                    self.raw(if i > 0 { ", " } else { "" });
                    self.setting(item);
                }
                self.raw("]");
                self.out.spans.push((start..self.out.text.len(), *span));
            }
            Setting::Record(settings, span) => {
                let start = self.out.text.len();
                self.raw("{");
                let mut first = true;
                for (key, setting) in settings {
                    self.key(&mut first, &plain(key), key.span());
                    self.setting(setting);
                }
                self.raw("}");
                self.out.spans.push((start..self.out.text.len(), *span));
            }
        }
    }

    fn record(&mut self, fields: &[Field]) {
        self.raw("{");
        let mut first = true;
        for field in fields {
            self.key(&mut first, &plain(&field.ident), field.ident.span());
            self.value(&field.value);
        }
        self.raw("}");
    }

    fn object(&mut self, entries: &[(LitStr, Value)]) {
        self.raw("{");
        let mut first = true;
        for (key, value) in entries {
            self.key(&mut first, &key.value(), key.span());
            self.value(value);
        }
        self.raw("}");
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Lit(lit, negative) => self.literal(lit, *negative),
            Value::Text(literal, parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(plain) => text += &self.plain(plain),
                        Part::Reference(reference) => text += &self.reference(reference),
                    }
                }
                self.string(&text, literal.span());
            }
            Value::List(items, span) => {
                let start = self.out.text.len();
                self.raw("[");
                for (i, item) in items.iter().enumerate() {
                    self.raw(if i > 0 { ", " } else { "" });
                    self.value(item);
                }
                self.raw("]");
                self.out.spans.push((start..self.out.text.len(), *span));
            }
            Value::Record(_, fields, _) => self.record(fields),
            Value::Constant(path) => {
                let start = self.out.text.len();
                let span = path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
                self.string(&constant(path), span);
                self.out.constants.push(start..self.out.text.len());
            }
            Value::Map(_, entries) => self.object(entries),
            Value::Object(entries, span) => {
                let start = self.out.text.len();
                self.object(entries);
                self.out.spans.push((start..self.out.text.len(), *span));
            }
            Value::Some(_, inner) => self.value(inner),
            Value::Json(_, inner) => {
                self.untyped = true;
                self.value(inner);
                self.untyped = false;
            }
            Value::None(ident) => {
                let start = self.out.text.len();
                self.raw("null");
                self.out.spans.push((start..start + 4, ident.span()));
            }
            Value::Reference(reference) => {
                let text = self.reference(reference);
                let span = reference.path.iter().rev().find_map(|s| match s {
                    Segment::Field(ident) => Some(ident.span()),
                    Segment::Key(key) => Some(key.span()),
                    _ => None,
                });
                let root = reference.root.span();
                let start = self.out.text.len();
                self.string(&text, span.unwrap_or(root));
                if self.inside.is_some() && !self.untyped {
                    self.out.typed.push(start..self.out.text.len());
                }
                // The root's own name, `${` behind the quote: a finding about the name points at the name.
                let name = plain(&reference.root).len();
                self.out.spans.push((start + 3..start + 3 + name, root));
            }
        }
    }

    /// Text that must not be read as a reference of any kind. A default never is, so its `@<` needs no escape.
    fn plain(&self, text: &str) -> String {
        let text = if self.default { Cow::Borrowed(text) } else { reference::escape(text) };
        text.replace("${", "$${")
    }

    fn literal(&mut self, literal: &Lit, negative: bool) {
        let start = self.out.text.len();
        match literal {
            Lit::Str(text) => self.raw(&Json::from(text.value()).to_string()),
            other => self.raw(&number(other, negative)),
        }
        self.out.spans.push((start..self.out.text.len(), literal.span()));
    }

    fn reference(&self, reference: &Reference) -> String {
        let mut text = String::from("${");
        match self.workflow.start(&reference.root, self.inside) {
            Start::Item => text += "each",
            Start::Index => text += "each_index",
            Start::Input => text += &format!("inputs.{}", plain(&reference.root)),
            Start::Operation(operation) => text += &write_name(&operation.json_name()),
            Start::Run | Start::Unknown => text += &plain(&reference.root),
        }
        for segment in &reference.path {
            match segment {
                Segment::Field(ident) => {
                    text.push('.');
                    text += &plain(ident);
                }
                Segment::Index(number) => text += &format!("[{}]", number.base10_digits()),
                Segment::Key(key) => text += &format!("[{}]", quoted(&key.value())),
                Segment::All(_) => text += "[*]",
            }
        }
        if let Some(Fallback { value, .. }) = &reference.fallback {
            text += " ?? ";
            text += &match value.as_deref() {
                Some(Value::Text(_, parts)) => quoted(&parts.iter().map(plain_part).collect::<String>()),
                Some(Value::Lit(literal, negative)) => number(literal, *negative),
                _ => "null".to_owned(),
            };
        }
        text + "}"
    }
}

fn plain_part(part: &Part) -> &str {
    match part {
        Part::Text(text) => text,
        Part::Reference(_) => "", // refused when it was read
    }
}

/// A text as it stands inside `${…}`.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A literal that is no text, as JSON writes it.
fn number(literal: &Lit, negative: bool) -> String {
    let text = match literal {
        Lit::Int(number) => number.base10_digits().to_owned(),
        // JSON wants digits on both sides of the point.
        Lit::Float(number) if number.base10_digits().ends_with('.') => format!("{}0", number.base10_digits()),
        Lit::Float(number) => number.base10_digits().to_owned(),
        Lit::Bool(truth) => truth.value.to_string(),
        other => Json::from(other.to_token_stream().to_string()).to_string(),
    };
    if negative { format!("-{text}") } else { text }
}
