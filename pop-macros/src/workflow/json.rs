//! The workflow in the JSON form of the language, and which token each piece of it came from.

use std::ops::Range;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use serde_json::Value as Json;
use syn::{GenericArgument, Lit, PathArguments, Type};

use super::parse::{Field, Part, Reference, Segment, Setting, Value, Workflow};

/// A text and where its pieces came from.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) spans: Vec<(Range<usize>, Span)>,
}

/// The workflow as JSON.
pub(super) fn write(workflow: &Workflow) -> Text {
    let mut out = Writer { out: Text { text: String::new(), spans: Vec::new() }, workflow, item: None };
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
        Some(Value::Record(_, fields)) => fields.iter().map(|f| (plain(&f.ident), &f.value)).collect(),
        Some(value) => vec![(single(value), value)],
    }
}

/// The name of a single output: the last field of the reference, or `result`.
pub(super) fn single(value: &Value) -> String {
    let last = match value {
        Value::Reference(reference) => reference.path.iter().rev().find_map(|s| match s {
            Segment::Field(ident) => Some(plain(ident)),
            _ => None,
        }),
        _ => None,
    };
    last.unwrap_or_else(|| "result".into())
}

/// The name of an operation type inside the JSON form: its Rust path.
pub(super) fn kind(path: &syn::Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

fn plain(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or_else(|| text.clone(), str::to_owned)
}

struct Writer<'w> {
    out: Text,
    workflow: &'w Workflow,
    /// The name of the item, inside a `for`.
    item: Option<String>,
}

impl Writer<'_> {
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
        for input in &workflow.inputs {
            self.key(&mut first, &plain(&input.ident), input.ident.span());
            self.raw("{\"type\": ");
            let mut span = input.ident.span();
            if let Some(first) = input.ty.to_token_stream().into_iter().next() {
                span = first.span();
            }
            self.string(&type_text(&input.ty), span);
            if let Some(default) = &input.default {
                self.raw(", \"default\": ");
                self.value(default);
            }
            if let Some(docs) = &input.docs {
                self.raw(", \"description\": ");
                self.string(docs, input.ident.span());
            }
            self.raw("}");
        }
        self.raw("}, \"operations\": {");
        let mut first = true;
        for operation in &workflow.operations {
            self.key(&mut first, &plain(&operation.ident), operation.ident.span());
            self.operation(operation);
        }
        self.raw("}, \"outputs\": {");
        let mut first = true;
        for (name, value) in outputs(workflow) {
            self.key(&mut first, &name, at);
            self.value(value);
        }
        self.raw("}}");
    }

    fn operation(&mut self, operation: &super::parse::Operation) {
        let span = operation.kind.segments.last().map_or(operation.ident.span(), |s| s.ident.span());
        self.raw("{\"uses\": ");
        self.string(&kind(&operation.kind), span);
        if let Some((_, list)) = &operation.each {
            self.raw(", \"each\": ");
            self.value(list);
        }
        self.item = operation.each.as_ref().map(|(item, _)| plain(item));
        self.raw(", \"with\": ");
        self.record(&operation.fields);
        if let Some(when) = &operation.when {
            self.raw(", \"when\": ");
            self.value(when);
        }
        self.item = None;
        if !operation.after.is_empty() {
            self.raw(", \"after\": [");
            for (i, name) in operation.after.iter().enumerate() {
                self.raw(if i > 0 { ", " } else { "" });
                self.string(&plain(name), name.span());
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
            Setting::Lit(lit) => self.literal(lit, false),
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

    fn value(&mut self, value: &Value) {
        match value {
            Value::Lit(lit, negative) => self.literal(lit, *negative),
            Value::Text(literal, parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(plain) => text += &plain.replace("${", "$${"),
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
            Value::Record(_, fields) => self.record(fields),
            Value::Some(_, inner) => self.value(inner),
            Value::None(ident) => {
                let start = self.out.text.len();
                self.raw("null");
                self.out.spans.push((start..start + 4, ident.span()));
            }
            Value::Reference(reference) => {
                let text = self.reference(reference);
                let span = reference.path.iter().rev().find_map(|s| match s {
                    Segment::Field(ident) => Some(ident.span()),
                    _ => None,
                });
                let root = reference.root.span();
                let start = self.out.text.len();
                self.string(&text, span.unwrap_or(root));
                // The root's own name, `${` behind the quote: a finding about the name points at the name.
                let name = plain(&reference.root).len();
                self.out.spans.push((start + 3..start + 3 + name, root));
            }
        }
    }

    fn literal(&mut self, lit: &Lit, negative: bool) {
        let start = self.out.text.len();
        self.raw(if negative { "-" } else { "" });
        match lit {
            Lit::Str(text) => self.raw(&Json::from(text.value()).to_string()),
            Lit::Int(number) => self.raw(number.base10_digits()),
            Lit::Float(number) => {
                // JSON wants digits on both sides of the point.
                let digits = number.base10_digits();
                self.raw(digits);
                self.raw(if digits.ends_with('.') { "0" } else { "" });
            }
            Lit::Bool(truth) => self.raw(if truth.value { "true" } else { "false" }),
            other => self.raw(&Json::from(other.to_token_stream().to_string()).to_string()),
        }
        self.out.spans.push((start..self.out.text.len(), lit.span()));
    }

    fn reference(&self, reference: &Reference) -> String {
        let root = plain(&reference.root);
        let is_item = self.item.as_ref() == Some(&root);
        let is_operation = self.workflow.operations.iter().any(|o| o.ident == reference.root);
        let is_input = self.workflow.inputs.iter().any(|i| i.ident == reference.root);
        let mut text = String::from("${");
        text += &match () {
            () if is_item => "each".to_owned(),
            () if is_input && !is_operation => format!("inputs.{root}"),
            () => root,
        };
        for segment in &reference.path {
            match segment {
                Segment::Field(ident) => text += &format!(".{}", plain(ident)),
                Segment::Index(number) => text += &format!("[{}]", number.base10_digits()),
                Segment::All(_) => text += "[*]",
            }
        }
        text + "}"
    }
}

/// A Rust type in the type language; what is not known there goes by its own name.
pub(super) fn type_text(ty: &Type) -> String {
    let Type::Path(path) = ty else { return "any".into() };
    let Some(last) = path.path.segments.last() else { return "any".into() };
    let arguments: Vec<&Type> = match &last.arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|a| match a {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    match (last.ident.to_string().as_str(), arguments.as_slice()) {
        ("String" | "str", []) => "string".into(),
        ("bool", []) => "bool".into(),
        ("u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize", []) => "int".into(),
        ("f32" | "f64", []) => "float".into(),
        ("PathBuf", []) => "path".into(),
        ("Url", []) => "url".into(),
        ("Value", []) => "any".into(),
        ("Vec", [item]) => format!("list<{}>", type_text(item)),
        ("Option", [inner]) => format!("{}?", type_text(inner)),
        ("HashMap" | "BTreeMap", [_, value]) => format!("map<{}>", type_text(value)),
        (name, _) => name.to_owned(),
    }
}

/// The Rust types that a type goes by name for.
pub(super) fn named_types(ty: &Type) -> Vec<(String, Type)> {
    let Type::Path(path) = ty else { return Vec::new() };
    let text = type_text(ty);
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    if last.ident == text {
        return vec![(text, ty.clone())];
    }
    let PathArguments::AngleBracketed(list) = &last.arguments else { return Vec::new() };
    list.args
        .iter()
        .filter_map(|a| match a {
            GenericArgument::Type(ty) => Some(named_types(ty)),
            _ => None,
        })
        .flatten()
        .collect()
}
