//! Rust: a module for each workflow, on top of `pop_sdk::client::typed`.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value as Json;

use super::model::{Field, Flow, Kind, Named, Shape};
use super::names::{Clash, apart, ascii, clashes as among, pascal, snake};
use super::{File, GENERATED, comment, is_direction};

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// The record of what a workflow takes.
const INPUTS: &str = "Inputs";

/// What the module of a workflow is called.
pub(super) fn module(workflow: &str) -> String {
    identifier(&ascii(workflow))
}

fn identifier(name: &str) -> String {
    apart(snake(name), KEYWORDS)
}

/// What a field is called.
pub(super) fn called(field: &Field) -> String {
    // No other field is called so.
    if field.rest { "more_".to_owned() } else { identifier(&field.key) }
}

/// What a word is called: a sign of a number makes another word.
pub(super) fn variant_of(word: &Json) -> String {
    let name = match word {
        Json::String(text) => pascal(text),
        Json::Number(number) => pascal(&number.to_string().replace('-', " minus ").replace('+', "")),
        other => pascal(&other.to_string()),
    };
    apart(name, &["Self"])
}

/// What the record of what must be given is called.
fn required(name: &str) -> String {
    behind(name, "Required")
}

/// A name with something behind it; an underscore stays at the end.
fn behind(name: &str, end: &str) -> String {
    match name.strip_suffix('_') {
        Some(start) => format!("{start}{end}_"),
        None => format!("{name}{end}"),
    }
}

/// Names that would be one.
pub(super) fn clashes(flow: &Flow) -> Vec<Clash> {
    let mut found = flow.field_clashes(called);
    let printer = Printer::new(flow, "");
    for named in &flow.types {
        match &named.kind {
            Kind::Literals(values) => {
                let words: Vec<String> = values.iter().map(Json::to_string).collect();
                let of = ("words", Some(named.name.as_str()));
                let advice = "Change one of them, or declare the type as `string`.";
                found.extend(among(
                    of,
                    advice,
                    words.iter().map(String::as_str).zip(values.iter().map(variant_of)),
                ));
            }
            Kind::Union(members) => {
                let types: Vec<String> = members.iter().map(|member| printer.ty(member)).collect();
                let of = ("alternatives", Some(named.name.as_str()));
                let called = members.iter().map(|member| printer.variant(member));
                found.extend(among(
                    of,
                    "Give one of the types another name.",
                    types.iter().map(String::as_str).zip(called),
                ));
            }
            _ => {}
        }
    }
    // that two types are one has been said already
    let types: HashSet<&str> = flow.types.iter().map(|named| named.name.as_str()).collect();
    let required = printer.required_of().map(|name| (name, required(name)));
    let required: Vec<_> = required.filter(|(_, required)| types.contains(required.as_str())).collect();
    let there =
        required.iter().map(|(_, required)| (required.as_str(), required.clone())).collect::<Vec<_>>();
    let advice = "Rename one of them: the record of required fields needs that name, too.";
    found.extend(among(("types", None), advice, required.iter().cloned().chain(there)));
    found
}

pub(super) fn files(flows: &[(&str, &Flow)]) -> Vec<File> {
    let mut index = format!("//! Typed clients of workflows.\n//!\n//! {GENERATED}\n\n");
    let mut files = Vec::with_capacity(flows.len() + 1);
    for (module, flow) in flows {
        index += &format!("pub mod {module};\n");
        files.push(File {
            path: format!("{module}.rs"),
            text: Printer::new(flow, "pop_sdk::client::typed").print(),
        });
    }
    files.push(File { path: "mod.rs".into(), text: index });
    files
}

/// The types of a workflow's inputs and outputs, where `typed` is the module `runtime` and `serde` is in scope.
pub(super) fn types(flow: &Flow, runtime: &str) -> String {
    let mut printer = Printer::new(flow, runtime);
    printer.types();
    printer.out
}

struct Printer<'f> {
    flow: &'f Flow,
    /// The types that occur in inputs: programs make values of them.
    written: BTreeSet<usize>,
    serde: String,
    out: String,
}

impl<'f> Printer<'f> {
    fn new(flow: &'f Flow, runtime: &str) -> Self {
        // serde's derives work without a dependency of the user's own
        let serde = format!("#[serde(crate = \"{runtime}::serde\")]\n");
        Self { flow, written: flow.reachable(&flow.inputs), serde, out: String::new() }
    }

    fn print(mut self) -> String {
        let flow = self.flow;
        self.docs("//!", "", &flow.docs());
        self.out += &format!("//!\n//! {GENERATED}\n\n");
        self.out += "#![cfg_attr(rustfmt, rustfmt_skip)]\n";
        for lint in ["dead_code", "missing_docs", "unreachable_pub", "clippy::enum_variant_names"] {
            let reason = "the workflow defines the types, and a program need not use all of them";
            let start = if lint == "dead_code" { "#![allow(\n" } else { "" };
            let end = if lint.contains("enum") {
                format!("    clippy::large_enum_variant,\n    reason = \"{reason}\"\n)]\n\n")
            } else {
                String::new()
            };
            self.out += &format!("{start}    {lint},\n{end}");
        }
        self.out += "use pop_sdk::client::typed::{self, serde};\n\n";
        self.types();
        self.workflow();
        self.out
    }

    /// `Inputs`, `Outputs`, and the types in them.
    fn types(&mut self) {
        let flow = self.flow;
        self.record(INPUTS, &["Inputs of the workflow.".to_owned()], &flow.inputs, None);
        self.record("Outputs", &["Outputs of the workflow.".to_owned()], &flow.outputs, None);
        for (index, named) in flow.types.iter().enumerate() {
            self.named(index, named);
        }
    }

    fn docs(&mut self, mark: &str, indent: &str, docs: &[String]) {
        for line in untested(comment(docs)) {
            self.out += format!("{indent}{mark} {line}").trim_end();
            self.out.push('\n');
        }
    }

    fn named(&mut self, index: usize, named: &Named) {
        let docs = named.docs();
        match &named.kind {
            Kind::Record(fields) => self.record(&named.name, &docs, fields, Some(index)),
            Kind::Literals(values) => self.literals(&named.name, &docs, values),
            Kind::Union(members) => {
                self.out += "typed::union! {\n";
                self.docs("///", "    ", &docs);
                self.out += &format!("    pub enum {} {{\n", named.name);
                for member in members {
                    let variant = self.variant(member);
                    let ty = self.boxed(member, Some(index));
                    if let Shape::Text(Some(note)) = member {
                        self.docs("///", "        ", &[format!("The text is {note}.")]);
                    }
                    self.out += &format!("        {variant}({ty}),\n");
                }
                self.out += "    }\n}\n\n";
            }
            // no alias may stand for itself
            Kind::Alias(shape) if self.flow.is_of_itself(index) => {
                self.docs("///", "", &docs);
                self.out += "#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]\n";
                self.out += &self.serde;
                self.out +=
                    &format!("#[serde(transparent)]\npub struct {}(pub {});\n\n", named.name, self.ty(shape));
            }
            Kind::Alias(shape) => {
                self.docs("///", "", &docs);
                self.out += &format!("pub type {} = {};\n\n", named.name, self.ty(shape));
            }
        }
    }

    fn literals(&mut self, name: &str, docs: &[String], values: &[Json]) {
        let texts = values.iter().all(Json::is_string);
        let indent = if texts {
            self.docs("///", "", docs);
            self.out +=
                "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]\n";
            self.out += &self.serde;
            ""
        } else {
            self.out += "typed::literals! {\n";
            self.docs("///", "    ", docs);
            "    "
        };
        self.out += &format!("{indent}pub enum {name} {{\n");
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let variant = variant_of(value);
            if texts {
                self.out += &format!("    #[serde(rename = {})]\n    {variant},\n", quoted(&text));
            } else {
                self.out += &format!("        {variant} = {},\n", quoted(&value.to_string()));
            }
        }
        self.out += &format!("{indent}}}\n{}\n", if texts { "" } else { "}\n" });
    }

    fn record(&mut self, name: &str, docs: &[String], fields: &[Field], index: Option<usize>) {
        if let Some((rest, named)) = fields.split_last().filter(|(last, _)| last.rest) {
            return self.open(name, docs, fields, (rest, named), index);
        }
        self.docs("///", "", docs);
        let bare = fields.iter().all(|f| f.optional);
        let default = if bare { "Default, " } else { "" };
        self.out +=
            &format!("#[derive(Clone, Debug, {default}PartialEq, serde::Deserialize, serde::Serialize)]\n");
        self.out += &self.serde;
        if fields.is_empty() {
            self.out += &format!("pub struct {name} {{}}\n\n");
            return;
        }
        self.out += &format!("pub struct {name} {{\n");
        let names: Vec<String> = fields.iter().map(called).collect();
        for (field, ident) in fields.iter().zip(&names) {
            self.docs("///", "    ", &field.docs());
            let mut serde = Vec::new();
            if *ident != field.key {
                serde.push(format!("rename = {}", quoted(&field.key)));
            }
            if field.optional {
                serde.push("default, skip_serializing_if = \"Option::is_none\"".to_owned());
            }
            if !serde.is_empty() {
                let line = format!("    #[serde({})]\n", serde.join(", "));
                if line.len() <= 101 {
                    self.out += &line;
                } else {
                    self.out += &format!("    #[serde(\n        {}\n    )]\n", serde.join(",\n        "));
                }
            }
            self.out += &format!("    pub {ident}: {},\n", self.field(field, index));
        }
        self.out += "}\n\n";
        if self.is_required(name, fields, index) {
            self.required(name, fields, &names, index);
        }
    }

    /// A record that may have further fields.
    fn open(
        &mut self,
        name: &str,
        docs: &[String],
        fields: &[Field],
        (rest, named): (&Field, &[Field]),
        index: Option<usize>,
    ) {
        let names: Vec<String> = fields.iter().map(called).collect();
        let bare = named.iter().all(|f| f.optional);
        self.out += "typed::open! {\n";
        self.docs("///", "    ", docs);
        if bare {
            self.out += "    #[derive(Default)]\n";
        }
        self.out += &format!("    pub struct {name} {{\n");
        for (field, ident) in named.iter().zip(&names) {
            self.docs("///", "        ", &field.docs());
            self.out += &format!("        {ident}: {} = {},\n", self.field(field, index), quoted(&field.key));
        }
        let more = called(rest);
        self.out += &format!("        ..{more}: {}\n    }}\n}}\n\n", self.ty(&rest.shape));
        if self.is_required(name, fields, index) {
            self.required(name, fields, &names, index);
        }
    }

    /// Whether a record has another one of what must be given: it occurs in inputs, and not all of it must.
    fn is_required(&self, name: &str, fields: &[Field], index: Option<usize>) -> bool {
        index.map_or(name == INPUTS, |index| self.written.contains(&index))
            && fields.iter().any(|field| field.optional)
            && fields.iter().any(|field| !field.optional)
    }

    /// The records that have one.
    fn required_of(&self) -> impl Iterator<Item = &'f str> {
        let flow = self.flow;
        let inputs = self.is_required(INPUTS, &flow.inputs, None).then_some(INPUTS);
        let types = flow.types.iter().enumerate().filter_map(|(index, named)| match &named.kind {
            Kind::Record(fields) if self.is_required(&named.name, fields, Some(index)) => {
                Some(named.name.as_str())
            }
            _ => None,
        });
        inputs.into_iter().chain(types)
    }

    /// A record of what must be given, and how it becomes the whole.
    fn required(&mut self, name: &str, fields: &[Field], names: &[String], index: Option<usize>) {
        let required = required(name);
        self.out += &format!(
            "/// Required fields of [`{name}`]; `.into()` leaves the other fields out.\n#[derive(Clone, Debug, PartialEq)]\npub struct {required} {{\n"
        );
        for (field, ident) in fields.iter().zip(names).filter(|(f, _)| !f.optional) {
            self.docs("///", "    ", &field.docs());
            self.out += &format!("    pub {ident}: {},\n", self.field(field, index));
        }
        self.out += &format!(
            "}}\n\nimpl From<{required}> for {name} {{\n    fn from(required: {required}) -> Self {{\n        \
             Self {{\n"
        );
        for (field, ident) in fields.iter().zip(names) {
            let value = match (field.rest, field.optional) {
                (true, _) => "Default::default()".to_owned(),
                (false, true) => "None".to_owned(),
                (false, false) => format!("required.{ident}"),
            };
            self.out += &format!("            {ident}: {value},\n");
        }
        self.out += "        }\n    }\n}\n\n";
    }

    fn workflow(&mut self) {
        let flow = self.flow;
        self.out += &format!(
            "/// The workflow `{}`.\n#[derive(Clone, Copy, Debug)]\npub struct Workflow;\n\n/// A client of the workflow.\npub type Client = typed::Client<Workflow>;\n\n/// A submitted run of the workflow.\npub type Run = typed::Run<Workflow>;\n\nimpl typed::Workflow for Workflow {{\n    type Inputs = Inputs;\n    type Outputs = Outputs;\n    const NAME: &'static str = {};\n    const DIGEST: &'static str = {};\n    const PLACES: &'static [(&'static str, &'static str)] = &[\n",
            flow.name.escape_debug(),
            quoted(&flow.name),
            quoted(&flow.digest),
        );
        for (operation, place) in &flow.places {
            self.out += &format!("        ({}, {}),\n", quoted(operation), quoted(place));
        }
        self.out += &format!("    ];\n    const TEMPLATE: &'static str = {};\n}}\n", raw(&flow.template));
    }

    fn field(&self, field: &Field, index: Option<usize>) -> String {
        let ty = self.boxed(&field.shape, index);
        let nullable = matches!(field.shape, Shape::Nullable(_));
        if field.optional && !nullable { format!("Option<{ty}>") } else { ty }
    }

    /// The type of something inside the type at `index`, which must not hold itself.
    fn boxed(&self, shape: &Shape, index: Option<usize>) -> String {
        let ty = self.ty(shape);
        match index {
            Some(index) if self.flow.holds(shape, index) => match shape {
                Shape::Nullable(inner) => format!("Option<Box<{}>>", self.ty(inner)),
                _ => format!("Box<{ty}>"),
            },
            _ => ty,
        }
    }

    /// Recursion is bounded by the depth of the schema.
    fn ty(&self, shape: &Shape) -> String {
        match shape {
            Shape::Any => "typed::Json".to_owned(),
            Shape::Null => "()".to_owned(),
            Shape::Bool => "bool".to_owned(),
            Shape::Int => "i64".to_owned(),
            Shape::Float => "f64".to_owned(),
            Shape::Text(_) => "String".to_owned(),
            Shape::List(item) => format!("Vec<{}>", self.ty(item)),
            Shape::Map(item) => format!("std::collections::BTreeMap<String, {}>", self.ty(item)),
            Shape::Nullable(inner) => format!("Option<{}>", self.ty(inner)),
            Shape::Secret(inner) => format!("typed::Secret<{}>", self.ty(inner)),
            Shape::Named(index) => self.flow.types[*index].name.clone(),
        }
    }

    fn variant(&self, shape: &Shape) -> String {
        match shape {
            Shape::Any => "Any".to_owned(),
            Shape::Null => "Null".to_owned(),
            Shape::Bool => "Bool".to_owned(),
            Shape::Int => "Int".to_owned(),
            Shape::Float => "Float".to_owned(),
            Shape::Text(_) => "Text".to_owned(),
            Shape::List(item) => behind(&self.variant(item), "List"),
            Shape::Map(item) => behind(&self.variant(item), "Map"),
            Shape::Nullable(inner) => format!("Maybe{}", self.variant(inner)),
            Shape::Secret(inner) => format!("Secret{}", self.variant(inner)),
            Shape::Named(index) => self.flow.types[*index].name.clone(),
        }
    }
}

/// Lines of a doc comment in which rustdoc finds no Rust to test: what a person wrote about a workflow is none.
fn untested(lines: Vec<String>) -> Vec<String> {
    let mut fence: Option<String> = None;
    let mut made = Vec::with_capacity(lines.len());
    for line in lines {
        let words = line.trim_start();
        let mark: String = match words.chars().next() {
            Some(first @ ('`' | '~')) => words.chars().take_while(|c| *c == first).collect(),
            _ => String::new(),
        };
        let rest = &words[mark.len()..];
        if let Some(open) = &fence {
            let closes = mark.starts_with(open.as_str()) && rest.trim().is_empty();
            fence = fence.filter(|_| !closes);
            made.push(line);
        } else if mark.len() >= 3 && !(mark.starts_with('`') && rest.contains('`')) {
            made.push(format!("{mark}text"));
            fence = Some(mark);
        } else {
            // Four spaces would begin a block of code.
            let spaces = (line.len() - words.len()).min(3);
            made.push(format!("{}{words}", " ".repeat(spaces)));
        }
    }
    // One that is left open would take in what stands behind it.
    made.extend(fence);
    made
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() || is_direction(c) => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A raw string where that is possible.
fn raw(text: &str) -> String {
    if text.chars().any(|c| c.is_control() || is_direction(c)) {
        return quoted(text);
    }
    let mut hashes = String::from("#");
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
