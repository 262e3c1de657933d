//! Python: a module for each workflow, and `pop.py` with its parts, which they share; dataclasses on top of httpx.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::model::{Field, Flow, Kind, Named, Shape};
use super::names::{Clash, apart, ascii, snake};
use super::{File, GENERATED, comment, double_quoted, single_quoted};

/// What the modules of all workflows share. No workflow's module begins with an underscore or is called `pop`.
const RUNTIME: &[(&str, &str)] = &[
    ("pop.py", include_str!("runtime/python/pop.py")),
    ("_data.py", include_str!("runtime/python/_data.py")),
    ("_http.py", include_str!("runtime/python/_http.py")),
    ("_json.py", include_str!("runtime/python/_json.py")),
];

/// Words that can't name a module or a field: keywords, and what the annotations of a class mention.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "bool", "break", "case", "class", "continue", "def", "del",
    "dict", "elif", "else", "except", "finally", "float", "for", "from", "global", "if", "import", "in",
    "int", "is", "lambda", "match", "nonlocal", "not", "object", "or", "pass", "pop", "raise", "return",
    "self", "str", "try", "type", "typing", "while", "with", "yield",
];

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

/// Names that would be one.
pub(super) fn clashes(flow: &Flow) -> Vec<Clash> {
    flow.field_clashes(called)
}

pub(super) fn files(flows: &[(&str, &Flow)]) -> Vec<File> {
    let init = format!("\"\"\"Typed clients of workflows.\n\n{GENERATED}\n\"\"\"\n");
    let shared = [("__init__.py", init.as_str()), ("py.typed", "")];
    let mut files: Vec<File> = RUNTIME
        .iter()
        .chain(&shared)
        .map(|(path, text)| File { path: (*path).into(), text: (*text).into() })
        .collect();
    for (module, flow) in flows {
        let printer = Printer { flow, read: flow.reachable(&flow.outputs), out: String::new() };
        files.push(File { path: format!("{module}.py"), text: printer.print() });
    }
    files
}

struct Printer<'f> {
    flow: &'f Flow,
    /// The types that occur in outputs: they must be read, not only written.
    read: BTreeSet<usize>,
    out: String,
}

impl Printer<'_> {
    fn print(mut self) -> String {
        let flow = self.flow;
        for named in &flow.types {
            self.alias(named);
        }
        self.record("Inputs", &["Inputs of the workflow.".to_owned()], &flow.inputs);
        self.record("Outputs", &["Outputs of the workflow.".to_owned()], &flow.outputs);
        for named in &flow.types {
            if let Kind::Record(fields) = &named.kind {
                let docs = named.docs();
                self.record(&named.name, &docs, fields);
            }
        }
        for (index, named) in flow.types.iter().enumerate() {
            if self.read.contains(&index) {
                self.reader(named);
            }
        }
        self.fields_reader("Outputs", &flow.outputs);
        self.workflow();
        let body = std::mem::take(&mut self.out);
        let mut docs = flow.docs();
        docs.extend([String::new(), GENERATED.to_owned()]);
        self.docs("", &docs);
        self.out +=
            "\nfrom __future__ import annotations\n\nimport dataclasses as _dc\nimport typing as _t\n";
        let used: Vec<&str> =
            ["Mapping", "Sequence"].into_iter().filter(|name| body.contains(&format!("{name}["))).collect();
        if !used.is_empty() {
            self.out += &format!("from collections.abc import {}\n", used.join(", "));
        }
        self.out += "\nimport httpx as _httpx\n\nfrom . import _json\nfrom . import pop as _pop\n";
        self.out + &body
    }

    fn docs(&mut self, indent: &str, docs: &[String]) {
        if docs.is_empty() {
            return;
        }
        let escape = |line: &String| {
            let line = line.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
            match line.strip_suffix('"') {
                Some(start) => format!("{start}\\\""),
                None => line,
            }
        };
        let lines: Vec<String> = comment(docs).iter().map(escape).collect();
        if let [only] = lines.as_slice() {
            self.out += &format!("{indent}\"\"\"{only}\"\"\"\n");
            return;
        }
        for (i, line) in lines.iter().enumerate() {
            let quotes = if i == 0 { "\"\"\"" } else { "" };
            self.out += format!("{indent}{quotes}{line}").trim_end();
            self.out.push('\n');
        }
        self.out += &format!("{indent}\"\"\"\n");
    }

    /// Types that are not classes come first, as text, so that they may mention what is defined later.
    fn alias(&mut self, named: &Named) {
        let (name, docs) = (&named.name, named.docs());
        match &named.kind {
            Kind::Record(_) => return,
            // A literal can be no fraction.
            Kind::Literals(values) if values.iter().any(|v| v.is_number() && v.as_i64().is_none()) => {
                self.out += &format!("\n{name}: _t.TypeAlias = \"bool | float | str\"\n");
            }
            Kind::Literals(values) => {
                let values: Vec<String> = values.iter().map(literal).collect();
                let values = values.join(", ");
                self.out += &format!("\n{name}: _t.TypeAlias = _t.Literal[{values}]\n");
            }
            Kind::Union(members) => {
                let members: Vec<String> = members.iter().map(|m| self.ty(m)).collect();
                self.out += &format!("\n{name}: _t.TypeAlias = \"{}\"\n", members.join(" | "));
            }
            Kind::Alias(shape) => {
                self.out += &format!("\n{name}: _t.TypeAlias = \"{}\"\n", self.ty(shape));
            }
        }
        self.docs("", &docs);
    }

    fn record(&mut self, name: &str, docs: &[String], fields: &[Field]) {
        self.out += &format!("\n\n@_dc.dataclass(frozen=True, kw_only=True)\nclass {name}:\n");
        self.docs("    ", docs);
        if docs.is_empty() && fields.is_empty() {
            self.out += "    pass\n";
        }
        let mut gap = !docs.is_empty();
        for field in fields {
            let ident = called(field);
            let mut options = Vec::new();
            if field.rest {
                options.push("default_factory=dict[str, _t.Any], metadata={\"rest\": True}".to_owned());
            } else if field.optional {
                options.push("default=None".to_owned());
            }
            if field.shape.is_secret() {
                options.push("repr=False".to_owned());
            }
            if ident != field.key && !field.rest {
                options.push(format!("metadata={{\"json\": {}}}", double_quoted(&field.key)));
            }
            let value = match options.as_slice() {
                [] => String::new(),
                [only] if only == "default=None" => " = None".to_owned(),
                several => format!(" = _dc.field({})", several.join(", ")),
            };
            let docs = field.docs();
            let line = if gap { "\n" } else { "" };
            self.out += &format!("{line}    {ident}: {}{value}\n", self.field(field));
            self.docs("    ", &docs);
            gap = !docs.is_empty();
        }
    }

    fn field(&self, field: &Field) -> String {
        let ty = self.ty(&field.shape);
        let nullable = matches!(field.shape, Shape::Any | Shape::Null | Shape::Nullable(_));
        if field.optional && !nullable && !field.rest { format!("{ty} | None") } else { ty }
    }

    fn reader(&mut self, named: &Named) {
        let name = &named.name;
        match &named.kind {
            Kind::Record(fields) => self.fields_reader(name, fields),
            Kind::Literals(values) => {
                let values: Vec<String> = values.iter().map(literal).collect();
                let comma = if values.len() == 1 { "," } else { "" };
                let values = values.join(", ");
                self.out += &format!(
                    "\n\ndef _read_{name}(value: object, at: str) -> {name}:\n    \
                     choices: tuple[{name}, ...] = ({values}{comma})\n    \
                     return _json.choice(value, at, choices)\n"
                );
            }
            Kind::Union(members) => {
                let readers: Vec<String> = members.iter().map(|m| self.read(m)).collect();
                let readers = readers.join(", ");
                self.out += &format!(
                    "\n\ndef _read_{name}(value: object, at: str) -> {name}:\n    \
                     readers: tuple[_json.Reader[{name}], ...] = ({readers})\n    \
                     return _json.either(value, at, readers)\n"
                );
            }
            Kind::Alias(shape) => {
                let reader = self.read(shape);
                self.out += &format!(
                    "\n\ndef _read_{name}(value: object, at: str) -> {name}:\n    \
                     reader: _json.Reader[{name}] = {reader}\n    return reader(value, at)\n"
                );
            }
        }
    }

    fn fields_reader(&mut self, name: &str, fields: &[Field]) {
        self.out += &format!("\n\ndef _read_{name}(value: object, at: str) -> {name}:\n");
        if fields.is_empty() {
            self.out += &format!("    _json.Fields(value, at)\n    return {name}()\n");
            return;
        }
        self.out += "    fields = _json.Fields(value, at)\n";
        for field in fields {
            let (_, shape) = self.reading(field);
            if !field.rest && self.forgets(shape) {
                let (ident, ty, reader) = (called(field), self.ty(shape), self.read(shape));
                self.out += &format!("    reader_{ident}: _json.Reader[{ty}] = {reader}\n");
            }
        }
        self.out += &format!("    return {name}(\n");
        for field in fields {
            let ident = called(field);
            if let (Shape::Map(further), true) = (&field.shape, field.rest) {
                let known: Vec<String> =
                    fields.iter().filter(|f| !f.rest).map(|f| double_quoted(&f.key) + ",").collect();
                let (known, reader) = (known.join(" "), self.read(further));
                self.out += &format!("        {ident}=fields.rest(({known}), {reader}),\n");
                continue;
            }
            let (method, shape) = self.reading(field);
            let reader = if self.forgets(shape) { format!("reader_{ident}") } else { self.read(shape) };
            self.out +=
                &format!("        {ident}=fields.{method}({}, {reader}),\n", double_quoted(&field.key));
        }
        self.out += "    )\n";
    }

    fn workflow(&mut self) {
        let flow = self.flow;
        self.out += "\n\nWORKFLOW: _pop.Definition[Outputs] = _pop.Definition(\n";
        self.out += &format!(
            "    name={},\n    digest={},\n    outputs=_read_Outputs,\n    places={{\n",
            double_quoted(&flow.name),
            double_quoted(&flow.digest)
        );
        for (operation, place) in &flow.places {
            self.out += &format!("        {}: {},\n", double_quoted(operation), double_quoted(place));
        }
        self.out += &format!("    }},\n    template={},\n)\n", single_quoted(&flow.template));
        self.out += "\"\"\"Name, template, outputs and source positions of the workflow.\"\"\"\n\nRun: _t.TypeAlias = _pop.Run[Outputs]\n\"\"\"A submitted run of the workflow.\"\"\"\n\n\nclass Client(_pop.Client[Inputs, Outputs]):\n    \"\"\"A client of the workflow.\"\"\"\n\n    def __init__(self, url: str, http: _httpx.AsyncClient | None = None) -> None:\n        \"\"\"Creates a client of the server at `url`, such as `http://127.0.0.1:7070`; sends no request.\"\"\"\n        super().__init__(url, WORKFLOW, http)\n";
    }

    /// How a field is read: the method, and what it is given a reader of.
    fn reading<'s>(&self, field: &'s Field) -> (&'static str, &'s Shape) {
        match (&field.shape, field.optional) {
            (Shape::Nullable(inner), true) if !self.flow.is_nullable(inner) => ("maybe", inner),
            (shape, true) if self.flow.is_nullable(shape) => ("take", shape),
            (shape, true) => ("maybe", shape),
            (shape, false) => ("need", shape),
        }
    }

    /// Whether a reader is nested so that pyright forgets which words are meant, unless it is told.
    fn forgets(&self, shape: &Shape) -> bool {
        let parts: Vec<&Shape> =
            shape.parts().into_iter().filter(|part| !matches!(part, Shape::Secret(_))).collect();
        match parts.last() {
            Some(Shape::Named(index)) => {
                parts.len() > 2 && matches!(self.flow.types[*index].kind, Kind::Literals(_))
            }
            _ => false,
        }
    }

    /// Recursion is bounded by the depth of the schema.
    fn ty(&self, shape: &Shape) -> String {
        match shape {
            Shape::Any => "_pop.Json".to_owned(),
            Shape::Null => "None".to_owned(),
            Shape::Bool => "bool".to_owned(),
            Shape::Int => "int".to_owned(),
            Shape::Float => "float".to_owned(),
            Shape::Text(_) => "str".to_owned(),
            Shape::List(item) => format!("Sequence[{}]", self.ty(item)),
            Shape::Map(item) => format!("Mapping[str, {}]", self.ty(item)),
            Shape::Nullable(inner) => format!("{} | None", self.ty(inner)),
            Shape::Secret(inner) => self.ty(inner),
            Shape::Named(index) => self.flow.types[*index].name.clone(),
        }
    }

    fn read(&self, shape: &Shape) -> String {
        match shape {
            Shape::Any => "_json.anything".to_owned(),
            Shape::Null => "_json.nothing".to_owned(),
            Shape::Bool => "_json.boolean".to_owned(),
            Shape::Int => "_json.integer".to_owned(),
            Shape::Float => "_json.number".to_owned(),
            Shape::Text(_) => "_json.text".to_owned(),
            Shape::List(item) => format!("_json.array({})", self.read(item)),
            Shape::Map(item) => format!("_json.mapping({})", self.read(item)),
            Shape::Nullable(inner) => format!("_json.nullable({})", self.read(inner)),
            Shape::Secret(inner) => self.read(inner),
            Shape::Named(index) => format!("_read_{}", self.flow.types[*index].name),
        }
    }
}

fn literal(value: &Json) -> String {
    match value {
        Json::String(text) => double_quoted(text),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}
