//! TypeScript: a module for each workflow, and `pop.ts` with its `_values.ts`, which they share. What is written in a
//! program is what goes over the wire, so fields keep their JSON names.

use serde_json::Value as Json;

use super::model::{Field, Flow, Kind, Named, Shape};
use super::names::{apart, camel};
use super::{File, GENERATED, comment, double_quoted, single_quoted};

/// What the modules of all workflows share. No workflow's module begins with an underscore or is called `pop`.
const RUNTIME: &[(&str, &str)] =
    &[("pop.ts", include_str!("runtime/pop.ts")), ("_values.ts", include_str!("runtime/_values.ts"))];

/// Words that can't be the name of an export.
const KEYWORDS: &[&str] = &[
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "pop",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// What the module of a workflow is called.
pub(super) fn module(workflow: &str) -> String {
    let name = super::names::kebab(workflow);
    if name == "pop" || name == "index" { name + "-flow" } else { name }
}

/// What the module is called where all are at hand.
pub(super) fn export(workflow: &str) -> String {
    apart(camel(workflow), KEYWORDS)
}

pub(super) fn files(flows: &[(&str, &Flow)]) -> Vec<File> {
    let mut index = format!("// {GENERATED}\n\nexport * as pop from \"./pop.js\";\n");
    let mut files: Vec<File> =
        RUNTIME.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect();
    for (module, flow) in flows {
        index += &format!("export * as {} from \"./{module}.js\";\n", export(&flow.name));
        files.push(File { path: format!("{module}.ts"), text: Printer { flow, out: String::new() }.print() });
    }
    files.push(File { path: "index.ts".into(), text: index });
    files
}

struct Printer<'f> {
    flow: &'f Flow,
    out: String,
}

impl Printer<'_> {
    fn print(mut self) -> String {
        let flow = self.flow;
        let mut docs = flow.docs();
        docs.extend([String::new(), GENERATED.to_owned()]);
        self.docs("", &docs);
        self.out += "\nimport * as pop from \"./pop.js\";\n\n";
        self.record("Inputs", &["Inputs of the workflow.".to_owned()], &flow.inputs);
        self.record("Outputs", &["Outputs of the workflow.".to_owned()], &flow.outputs);
        for named in &flow.types {
            self.named(named);
        }
        self.workflow();
        self.out
    }

    fn docs(&mut self, indent: &str, docs: &[String]) {
        if docs.is_empty() {
            return;
        }
        let lines: Vec<String> = comment(docs).iter().map(|l| l.replace("*/", "*\\/")).collect();
        if let [only] = lines.as_slice() {
            self.out += &format!("{indent}/** {only} */\n");
            return;
        }
        self.out += &format!("{indent}/**\n");
        for line in lines {
            self.out += format!("{indent} * {line}").trim_end();
            self.out.push('\n');
        }
        self.out += &format!("{indent} */\n");
    }

    fn named(&mut self, named: &Named) {
        let docs = named.docs();
        let alternatives = match &named.kind {
            Kind::Record(fields) => return self.record(&named.name, &docs, fields),
            Kind::Literals(values) => values.iter().map(literal).collect::<Vec<_>>().join(" | "),
            Kind::Union(members) => members.iter().map(|m| self.ty(m)).collect::<Vec<_>>().join(" | "),
            Kind::Alias(shape) => self.ty(shape),
        };
        self.docs("", &docs);
        self.out += &format!("export type {} = {alternatives};\n\n", named.name);
    }

    fn record(&mut self, name: &str, docs: &[String], fields: &[Field]) {
        self.docs("", docs);
        if fields.is_empty() {
            // An empty interface would take anything.
            self.out += &format!("export interface {name} {{\n  readonly [nothing: string]: never;\n}}\n\n");
            return;
        }
        self.out += &format!("export interface {name} {{\n");
        for field in fields {
            self.docs("  ", &field.docs());
            if field.rest {
                let ty = self.further(fields);
                self.out += &format!("  readonly [further: string]: {ty};\n");
                continue;
            }
            let ty = self.ty(&field.shape);
            let (mark, ty) = match (field.optional, &field.shape) {
                (true, Shape::Any | Shape::Null | Shape::Nullable(_)) => ("?", ty),
                (true, _) => ("?", format!("{ty} | null")),
                (false, _) => ("", ty),
            };
            self.out += &format!("  readonly {}{mark}: {ty};\n", key(&field.key));
        }
        self.out += "}\n\n";
    }

    /// What a further field may be: in this language, whatever one of the others is as well.
    fn further(&self, fields: &[Field]) -> String {
        let mut types: Vec<String> = Vec::new();
        let mut add = |ty: String| {
            if !types.contains(&ty) {
                types.push(ty);
            }
        };
        for field in fields.iter().rev() {
            match &field.shape {
                Shape::Map(further) if field.rest => add(self.ty(further)),
                Shape::Nullable(inner) => {
                    add(self.ty(inner));
                    add("null".to_owned());
                }
                shape => add(self.ty(shape)),
            }
            if field.optional && !field.rest {
                add("null".to_owned());
                add("undefined".to_owned());
            }
        }
        if types.iter().any(|ty| ty == "unknown") { "unknown".to_owned() } else { types.join(" | ") }
    }

    fn workflow(&mut self) {
        let flow = self.flow;
        let required: Vec<String> =
            flow.outputs.iter().filter(|f| !f.optional).map(|f| double_quoted(&f.key)).collect();
        self.out += &format!(
            "/** Name, template, outputs and source positions of the workflow. */\nexport const workflow: pop.Definition<Outputs> = {{\n  name: {},\n  digest: {},\n  required: [{}],\n  places: new Map([\n",
            double_quoted(&flow.name),
            double_quoted(&flow.digest),
            required.join(", "),
        );
        for (operation, place) in &flow.places {
            self.out += &format!("    [{}, {}],\n", double_quoted(operation), double_quoted(place));
        }
        self.out += &format!("  ]),\n  template: {},\n}};\n\n", single_quoted(&flow.template));
        self.out += "/** A submitted run of the workflow. */\nexport type Run = pop.Run<Outputs>;\n\n/** A client of the workflow. */\nexport class Client extends pop.Client<Inputs, Outputs> {\n  /** Creates a client of the server at `url`, such as `http://127.0.0.1:7070`; sends no request. */\n  constructor(url: string, options?: pop.ClientOptions) {\n    super(url, workflow, options);\n  }\n}\n";
    }

    /// Recursion is bounded by the depth of the schema.
    fn ty(&self, shape: &Shape) -> String {
        match shape {
            Shape::Any => "unknown".to_owned(),
            Shape::Null => "null".to_owned(),
            Shape::Bool => "boolean".to_owned(),
            Shape::Int | Shape::Float => "number".to_owned(),
            Shape::Text(_) => "string".to_owned(),
            Shape::List(item) => {
                let inner = self.ty(item);
                if inner.contains(' ') {
                    format!("readonly ({inner})[]")
                } else {
                    format!("readonly {inner}[]")
                }
            }
            Shape::Map(item) => format!("{{ readonly [key: string]: {} }}", self.ty(item)),
            Shape::Nullable(inner) => format!("{} | null", self.ty(inner)),
            Shape::Secret(inner) => self.ty(inner),
            Shape::Named(index) => self.flow.types[*index].name.clone(),
        }
    }
}

fn literal(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), double_quoted)
}

/// A property's name: bare where that is possible.
fn key(name: &str) -> String {
    let bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    let digit = name.chars().next().is_none_or(|c| c.is_ascii_digit());
    if bare && !digit { name.to_owned() } else { double_quoted(name) }
}
