//! The JSON Schema of the language, for editors: the keys, their values and their purpose. The schema describes the
//! input of `decode`; tests keep both alike. Names and types are left to the checker.

use serde_json::{Map, Value as Json, json};

use crate::catalog::kubernetes::{Form, Group, KUBERNETES};
use crate::retry::MOST_ATTEMPTS;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A key: name, shape and purpose.
type Key = (&'static str, Shape, &'static str);

/// Shape of a key's value.
#[derive(Clone, Copy)]
enum Shape {
    /// Any JSON value, with references.
    Value,
    Text,
    /// A string that is one of these.
    OneOf(&'static [&'static str]),
    /// A list of strings, or one string.
    Texts,
    /// A list of strings; one string would look like a shell command.
    Words,
    /// A whole number of 1 or more.
    Count,
    Whole,
    Flag,
    /// A definition in `$defs`.
    Of(&'static str),
    /// A table whose values are all of one kind.
    TableOf(&'static str),
}

const TOP: &[Key] = &[
    (
        "workflow",
        Shape::Of("workflow"),
        "The workflow's name, version, description, and the catalogs it uses.",
    ),
    ("inputs", Shape::TableOf("input"), "Inputs of a run: name to type."),
    ("types", Shape::TableOf("type"), "Named types."),
    (
        "catalog",
        Shape::TableOf("operation_type"),
        "Operation types of this workflow's own, as in a catalog file.",
    ),
    ("operations", Shape::TableOf("operation"), "Operations: name to operation."),
    ("outputs", Shape::TableOf("value"), "Outputs of a run: name to value."),
    ("run", Shape::Of("run"), "Settings of a run; a submission may override them."),
];

const CATALOG: &[Key] = &[
    ("catalog", Shape::Value, "A header for people: name, version, description."),
    ("types", Shape::TableOf("type"), "Named types, for every workflow that names this catalog."),
    ("operations", Shape::TableOf("operation_type"), "The operation types: name to type."),
];

const WORKFLOW: &[Key] = &[
    ("name", Shape::Text, "Name of the workflow."),
    ("version", Shape::Text, "Semantic version of the workflow, such as \"1.0.0\"."),
    (
        "description",
        Shape::Text,
        "Description for people, shown in the schema, the clients and the web page.",
    ),
    ("catalogs", Shape::Texts, "Catalog files with operation types, relative to this file."),
];

const INPUT: &[Key] = &[
    ("type", Shape::Of("type"), "Type of the input."),
    ("default", Shape::Value, "Value of the input when a submission has none."),
    ("description", Shape::Text, "Description for people."),
];

const OPERATION: &[Key] = &[
    ("uses", Shape::Text, "The operation type that runs, such as `media.probe`."),
    (
        "workflow",
        Shape::Text,
        "Instead of `uses`: path of a workflow file, relative to this file, whose operations run here.",
    ),
    (
        "with",
        Shape::Value,
        "Input of the operation, with references such as `${inputs.source}` and `${probe.duration}`.",
    ),
    ("after", Shape::Texts, "Operations that must end first. A reference already waits for its operation."),
    ("when", Shape::Value, "A boolean or a reference to one: false skips the operation."),
    ("each", Shape::Value, "A list: the operation runs once for each item, and `${each}` is the item."),
    ("retry", Shape::Of("retry"), "Number of attempts, or a retry policy."),
    ("timeout", Shape::Of("duration"), "Longest duration of one attempt."),
    ("resources", Shape::Of("resources"), "Resources of one attempt."),
    ("description", Shape::Text, "Description for people."),
];

const OPERATION_TYPE: &[Key] = &[
    (
        "input",
        Shape::Of("operation_input"),
        "Type of the input; `any` when absent. A field may have a default and a description.",
    ),
    ("output", Shape::Of("type"), "Type of the output; `any` when absent."),
    (
        "command",
        Shape::Words,
        "A local program and its arguments, with `${with.NAME}` for inputs. No shell is involved.",
    ),
    ("stdin", Shape::Text, "Text for standard input, with `${with.NAME}` for inputs."),
    (
        "stdout",
        Shape::OneOf(&["log", "json", "text", "lines"]),
        "Meaning of standard output; `log` is the default.",
    ),
    (
        "image",
        Shape::Text,
        "The container image for Kubernetes. `command` runs in the image; without `command`, the image's own entry point runs.",
    ),
    ("args", Shape::Words, "Arguments of the image's own entry point, with `${with.NAME}` for inputs."),
    ("env", Shape::TableOf("scalar"), "Environment variables, with `${with.NAME}` for inputs."),
    (
        "secrets",
        Shape::TableOf("secret_key"),
        "Environment variables from secrets of the Kubernetes namespace: name to \"secret/key\".",
    ),
    ("kubernetes", Shape::Of("kubernetes"), "Settings of the pods on Kubernetes."),
    (
        "idempotent",
        Shape::Flag,
        "Whether an operation may run twice at the same time without harm. POP may then start a new attempt while the end of the old one is unknown.",
    ),
    ("resources", Shape::Of("resources"), "Resources of one attempt, unless the operation sets them."),
    ("timeout", Shape::Of("duration"), "Longest duration of one attempt, unless the operation sets one."),
    ("retry", Shape::Of("retry"), "Number of attempts, or a retry policy, unless the operation sets one."),
    ("description", Shape::Text, "Description for people."),
];

const RUN: &[Key] = &[
    ("priority", Shape::Whole, "Priority of the run: a higher number goes first."),
    ("deadline", Shape::Of("duration"), "Longest duration of the whole run."),
    (
        "maximum_attempts",
        Shape::Count,
        "Number of leases that a pool may take without the end of any operation.",
    ),
    (
        "on_failure",
        Shape::OneOf(&["continue", "stop"]),
        "Reaction of the other operations to a failed operation.",
    ),
    ("link", Shape::Value, "Link: a client's key that groups runs."),
    ("insight", Shape::Text, "Preferred insight among the matching insights."),
    ("concurrency_key", Shape::Text, "Runs with the same key share a limit."),
    ("labels", Shape::TableOf("text"), "Labels for finding the run."),
];

const RETRY: &[Key] = &[
    ("attempts", Shape::Of("attempts"), "Number of attempts, including the first one."),
    ("backoff", Shape::Text, "Delay between attempts: \"10s\", or a growing one: \"10s..5m\"."),
    ("on", Shape::Of("failures"), "Failures that cause another attempt; all when absent."),
];

const RESOURCES: &[Key] = &[
    ("cpu", Shape::Of("quantity"), "Cores, such as 4 or \"500m\"."),
    ("memory", Shape::Of("quantity"), "Bytes, such as \"8Gi\"."),
];

/// The schema of a workflow file (`*.pop.toml`, `*.pop.json`).
pub fn workflow() -> Json {
    document(
        "POP workflow",
        table(TOP, &["workflow"]),
        &[
            ("workflow", table(WORKFLOW, &["name"])),
            ("input", json!({ "anyOf": [{ "$ref": "#/$defs/type" }, table(INPUT, &["type"])] })),
            ("operation", operation()),
            ("run", table(RUN, &[])),
        ],
    )
}

/// The input of an operation type: a type, or fields with optional defaults and descriptions.
fn operation_input() -> Json {
    let ty = json!({ "$ref": "#/$defs/type" });
    let record = json!({
        "type": "object",
        "properties": { "record": { "type": "object", "additionalProperties": ty } },
        "required": ["record"],
        "additionalProperties": false,
        "description": "A record, also one with a field called `type`."
    });
    let field = json!({ "anyOf": [ty, table(INPUT, &["type"]), record] });
    json!({ "anyOf": [ty, { "type": "object", "additionalProperties": field }] })
}

/// An operation: uses an operation type, or is a sub-workflow.
fn operation() -> Json {
    let mut table = table(OPERATION, &[]);
    table["oneOf"] = json!([{ "required": ["uses"] }, { "required": ["workflow"] }]);
    table
}

/// A table of the settings for Kubernetes.
fn group(group: &Group) -> Json {
    let properties: Map<String, Json> = group
        .keys
        .iter()
        .map(|key| {
            let mut property = Map::from_iter([("description".to_owned(), Json::from(key.about))]);
            if let Json::Object(form) = form(key.form) {
                property.extend(form);
            }
            (key.name.to_owned(), Json::Object(property))
        })
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !group.required.is_empty() {
        schema["required"] = json!(group.required);
    }
    if !group.one_of.is_empty() {
        schema["oneOf"] = group.one_of.iter().map(|name| json!({ "required": [name] })).collect();
    }
    schema
}

fn form(form: Form) -> Json {
    match form {
        Form::Text => Shape::Text.schema(),
        Form::Flag => Shape::Flag.schema(),
        Form::Number => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Form::Texts => Shape::Texts.schema(),
        Form::TextMap => Shape::TableOf("text").schema(),
        Form::Quantity => Shape::Of("quantity").schema(),
        Form::QuantityMap => Shape::TableOf("quantity").schema(),
        Form::Duration => Shape::Of("duration").schema(),
        Form::OneOf(words) => Shape::OneOf(words).schema(),
        Form::Object => json!({ "type": "object" }),
        Form::Table(group) => Shape::Of(group.name).schema(),
        Form::Tables(group) => json!({ "type": "array", "items": Shape::Of(group.name).schema() }),
    }
}

/// The schema of a catalog file.
pub fn catalog() -> Json {
    document("POP catalog", table(CATALOG, &[]), &[])
}

fn document(title: &str, root: Json, own: &[(&str, Json)]) -> Json {
    let mut document = Map::new();
    document.insert("$schema".into(), DIALECT.into());
    document.insert("title".into(), title.into());
    if let Json::Object(root) = root {
        document.extend(root);
    }
    if let Some(Json::Object(keys)) = document.get_mut("properties") {
        keys.insert(
            "$schema".into(),
            json!({ "type": "string", "description": "JSON Schema of the file, for editors." }),
        );
    }
    let classes = json!({ "enum": ["error", "evicted", "timeout"] });
    let groups: Vec<(&str, Json)> =
        KUBERNETES.all().into_iter().map(|inner| (inner.name, group(inner))).collect();
    let shared = [
        ("operation_type", table(OPERATION_TYPE, &[])),
        ("resources", table(RESOURCES, &[])),
        ("attempts", json!({ "type": "integer", "minimum": 1, "maximum": MOST_ATTEMPTS })),
        ("retry", json!({ "anyOf": [{ "$ref": "#/$defs/attempts" }, table(RETRY, &["attempts"])] })),
        ("failures", json!({ "anyOf": [classes, { "type": "array", "items": classes, "minItems": 1 }] })),
        ("duration", json!({ "type": "string", "examples": ["500ms", "10s", "5m", "2h", "1h30m"] })),
        ("quantity", json!({ "type": ["string", "number"], "examples": ["500m", "4", "8Gi", "512M"] })),
        (
            "type",
            json!({
                "description": "A type, such as \"list<int>\", \"url?\" or \"\\\"a\\\" | \\\"b\\\"\"; a table is a record, and its key \"...\" the type of further fields.",
                "anyOf": [
                    { "type": "string", "examples": ["string", "int", "float", "bool", "url", "path", "duration",
                        "bytes", "datetime", "any", "list<string>", "map<int>", "string?"] },
                    { "type": "object", "additionalProperties": { "$ref": "#/$defs/type" } }
                ]
            }),
        ),
        ("operation_input", operation_input()),
        ("value", json!(true)),
        ("text", json!({ "type": "string" })),
        ("scalar", json!({ "type": ["string", "number", "boolean"] })),
        (
            "secret_key",
            json!({ "type": "string", "pattern": "^[^/]+/[^/]+$", "examples": ["registry/token"] }),
        ),
    ];
    let shared: Vec<(&str, Json)> = shared.into_iter().chain(groups).collect();
    let mut defs: Vec<(&str, &Json)> =
        own.iter().map(|(n, s)| (*n, s)).chain(shared.iter().map(|(n, s)| (*n, s))).collect();
    let used = Json::Object(document.clone()).to_string()
        + &own.iter().map(|(_, s)| s.to_string()).collect::<String>();
    let used = used + &shared.iter().map(|(_, s)| s.to_string()).collect::<String>();
    defs.retain(|(name, _)| used.contains(&format!("\"#/$defs/{name}\"")));
    let defs = defs.into_iter().map(|(name, schema)| (name.to_owned(), schema.clone()));
    document.insert("$defs".into(), Json::Object(defs.collect()));
    Json::Object(document)
}

/// A table with these keys and no others.
fn table(keys: &[Key], required: &[&str]) -> Json {
    let properties: Map<String, Json> = keys
        .iter()
        .map(|(name, shape, about)| {
            let mut property = Map::from_iter([("description".to_owned(), Json::from(*about))]);
            if let Json::Object(shape) = shape.schema() {
                property.extend(shape);
            }
            ((*name).to_owned(), Json::Object(property))
        })
        .collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

impl Shape {
    fn schema(self) -> Json {
        match self {
            Self::Value => json!({}),
            Self::Text => json!({ "type": "string" }),
            Self::OneOf(words) => json!({ "enum": words }),
            Self::Texts => {
                json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
            }
            Self::Words => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Count => json!({ "type": "integer", "minimum": 1 }),
            Self::Whole => json!({ "type": "integer" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Of(name) => json!({ "$ref": format!("#/$defs/{name}") }),
            Self::TableOf(name) => {
                json!({ "type": "object", "additionalProperties": { "$ref": format!("#/$defs/{name}") } })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::{Format, Options, compile, load_catalog};

    /// The keys that the decoder knows, as it says itself when it meets one that it does not know.
    fn known(text: &str, catalog: bool) -> Vec<String> {
        let source = Source::new("x.pop.toml", text);
        let findings = if catalog {
            load_catalog(&source).diagnostics
        } else {
            compile(source, Format::Toml, &Options::default()).diagnostics
        };
        let unknown: Vec<_> = findings.iter().filter(|d| d.rule == "unknown-key").collect();
        let [finding] = unknown.as_slice() else { panic!("{text}: {findings:#?}") };
        let list = finding.help.iter().find_map(|h| h.strip_prefix("known keys: ")).unwrap();
        list.split(", ").map(str::to_owned).collect()
    }

    #[test]
    fn the_schema_knows_the_keys_that_the_decoder_knows() {
        let odd = "zzzzzzzzzzzz = 1\n";
        for (keys, text, catalog) in [
            (TOP, odd.to_owned(), false),
            (CATALOG, odd.to_owned(), true),
            (WORKFLOW, format!("[workflow]\n{odd}"), false),
            (INPUT, format!("[inputs.a]\n{odd}"), false),
            (OPERATION, format!("[operations.a]\n{odd}"), false),
            (OPERATION_TYPE, format!("[catalog.a]\n{odd}"), false),
            (OPERATION_TYPE, format!("[operations.a]\n{odd}"), true),
            (RUN, format!("[run]\n{odd}"), false),
            (RETRY, format!("[operations.a.retry]\n{odd}"), false),
            (RESOURCES, format!("[operations.a.resources]\n{odd}"), false),
        ] {
            let mut ours: Vec<&str> = keys.iter().map(|(name, ..)| *name).collect();
            let mut theirs = known(&text, catalog);
            ours.sort_unstable();
            theirs.sort_unstable();
            assert_eq!(ours, theirs, "{text}");
        }
        for (group, text) in KUBERNETES.all().into_iter().zip([
            "kubernetes = { zzzzzzzzzzzz = 1 }",
            "kubernetes = { tolerations = [{ operator = \"Exists\", zzzzzzzzzzzz = 1 }] }",
            "kubernetes = { volumes = [{ name = \"a\", mount_path = \"/a\", claim = \"a\", zzzzzzzzzzzz = 1 }] }",
            "kubernetes = { volumes = [{ name = \"a\", mount_path = \"/a\", empty_dir = { zzzzzzzzzzzz = 1 } }] }",
        ]) {
            let text = format!("[operations.a]\nimage = \"a:1\"\n{text}\n");
            assert_eq!(group.names(), known(&text, true), "{text}");
        }
    }

    #[test]
    fn every_definition_is_there_and_is_used() {
        for document in [workflow(), catalog()] {
            let text = document.to_string();
            let defs = document["$defs"].as_object().unwrap();
            for name in defs.keys() {
                assert!(text.contains(&format!("#/$defs/{name}\"")), "{name} is not used");
            }
            for used in text.split("#/$defs/").skip(1) {
                let name = used.split('"').next().unwrap();
                assert!(defs.contains_key(name), "{name} is not there");
            }
        }
    }
    #[test]
    fn the_page_about_catalogs_names_every_key() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/catalogs.md");
        let page = std::fs::read_to_string(page).unwrap();
        let groups = KUBERNETES.all().into_iter().flat_map(Group::names);
        for key in OPERATION_TYPE.iter().map(|(name, ..)| *name).chain(groups) {
            let code = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == key);
            assert!(page.split('`').skip(1).step_by(2).any(code), "{key}");
        }
    }
}
