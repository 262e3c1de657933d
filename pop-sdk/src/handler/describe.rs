//! A program's handlers as a catalog in TOML, for workflow files to import.

use std::fmt::Write as _;

use pop_compiler::agenda::{RunSpec, Stdout};
use pop_compiler::catalog::kubernetes_as_written;
use pop_compiler::types::Type;
use serde_json::Value;

use crate::operation::Known;
use recursive::Shared;

mod recursive;

/// The widest line of an input or output that stands on one.
const WIDTH: usize = 100;

/// The catalog of these operation types. A type that does not say how it runs is run as `program`, with its name as the
/// argument. The same types give the same bytes.
pub(super) fn catalog(types: &[&Known], program: &str) -> String {
    let mut out = format!("# Printed by `{program} --describe`: what its handlers take and give.\n");
    let mut shared = Shared::default();
    let mut entries = String::new();
    for known in types {
        let [input, output] = [known.input(), known.output()].map(|schema| shared.name(schema));
        entry(known, [&input, &output], program, &mut entries);
    }
    shared.write(&mut out);
    out += &entries;
    // Types print in the language's own form already; should the text ever not be readable, it is shown as it is.
    pop_compiler::fmt::format(&out, pop_compiler::Format::Toml).unwrap_or(out)
}

fn entry(known: &Known, [input, output]: [&Value; 2], program: &str, out: &mut String) {
    let head = format!("operations.{}", key(known.name()));
    let _ = write!(out, "\n[{head}]\n");
    if let Some(description) = known.description() {
        let _ = writeln!(out, "description = {}", text(description));
    }
    let run = known.run();
    let mut tables = String::new();
    for (name, schema) in [("input", input), ("output", output)] {
        let fields = fields(schema);
        match (inline(name, schema, fields.as_deref()), fields) {
            (Some(line), _) => out.push_str(&line),
            (None, None) => {}
            (None, Some(fields)) => {
                let _ = write!(tables, "\n[{head}.{name}]\n");
                for field in fields {
                    for line in field.doc.iter().flat_map(|doc| doc.lines()) {
                        let _ = writeln!(tables, "# {}", line.trim());
                    }
                    let _ = writeln!(tables, "{} = {}", key(field.name), text(&field.ty.to_string()));
                }
            }
        }
    }
    run_spec(run, known.name(), program, out);
    out.push_str(&tables);
}

/// One field of an input or output.
struct Field<'s> {
    name: &'s str,
    ty: Type,
    doc: Option<&'s str>,
}

/// The fields of a type with known ones, in the order in which they were declared. None for other types, and for those
/// whose fields the schema takes from elsewhere.
fn fields(schema: &Value) -> Option<Vec<Field<'_>>> {
    let Type::Record(record) = recursive::ty(schema) else { return None };
    let mut fields = Vec::with_capacity(record.len());
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let doc = schema.get("description").and_then(Value::as_str);
        fields.push(Field { name, ty: record.get(name)?.clone(), doc });
    }
    if let Some(rest) = record.rest() {
        fields.push(Field { name: "...", ty: rest.clone(), doc: None });
    }
    (fields.len() == record.len() + usize::from(record.rest().is_some())).then_some(fields)
}

/// `input = …` on one line, if that is the clearest way to write it.
fn inline(name: &str, schema: &Value, fields: Option<&[Field<'_>]>) -> Option<String> {
    let Some(fields) = fields else {
        return Some(format!("{name} = {}\n", text(&recursive::ty(schema).to_string())));
    };
    let pairs: Vec<String> =
        fields.iter().map(|f| format!("{} = {}", key(f.name), text(&f.ty.to_string()))).collect();
    let line = match pairs.as_slice() {
        [] => format!("{name} = {{}}\n"),
        pairs => format!("{name} = {{ {} }}\n", pairs.join(", ")),
    };
    (line.len() <= WIDTH && fields.iter().all(|f| f.doc.is_none())).then_some(line)
}

fn run_spec(run: &RunSpec, kind: &str, program: &str, out: &mut String) {
    let own = [program.to_owned(), kind.to_owned()];
    let command = if run.command.is_empty() && run.image.is_none() { &own[..] } else { &run.command };
    let list = |words: &[String]| words.iter().map(|w| text(w)).collect::<Vec<_>>().join(", ");
    if !command.is_empty() {
        let _ = writeln!(out, "command = [{}]", list(command));
    }
    if let Some(stdin) = &run.stdin {
        let _ = writeln!(out, "stdin = {}", text(stdin));
    }
    match run.stdout {
        Stdout::Log => {}
        Stdout::Json => out.push_str("stdout = \"json\"\n"),
        Stdout::Text => out.push_str("stdout = \"text\"\n"),
        Stdout::Lines => out.push_str("stdout = \"lines\"\n"),
    }
    if let Some(image) = &run.image {
        let _ = writeln!(out, "image = {}", text(image));
    }
    if !run.args.is_empty() {
        let _ = writeln!(out, "args = [{}]", list(&run.args));
    }
    if !run.env.is_empty() {
        let pairs: Vec<String> = run
            .env
            .iter()
            .map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("{} = {}", key(name), text(&value))
            })
            .collect();
        let _ = writeln!(out, "env = {{ {} }}", pairs.join(", "));
    }
    if !run.secret_env.is_empty() {
        let pairs: Vec<String> = run
            .secret_env
            .iter()
            .map(|(name, of)| format!("{} = {}", key(name), text(&of.to_string())))
            .collect();
        let _ = writeln!(out, "secrets = {{ {} }}", pairs.join(", "));
    }
    if run.idempotent {
        out.push_str("idempotent = true\n");
    }
    if let Some(spec) = &run.kubernetes {
        let _ = writeln!(out, "kubernetes = {}", value(&kubernetes_as_written(spec)));
    }
}

/// A value on one line. TOML has no null, and settings have none. Recursion is bounded by the depth of the settings.
fn value(json: &Value) -> String {
    let list = |items: Vec<String>, open: &str, close: &str| match items.as_slice() {
        [] => format!("{}{}", open.trim(), close.trim()),
        items => format!("{open}{}{close}", items.join(", ")),
    };
    match json {
        Value::String(plain) => text(plain),
        Value::Array(items) => list(items.iter().map(value).collect(), "[", "]"),
        Value::Object(entries) => {
            let entries = entries.iter().filter(|(_, inner)| !inner.is_null());
            list(
                entries.map(|(name, inner)| format!("{} = {}", key(name), value(inner))).collect(),
                "{ ",
                " }",
            )
        }
        other => other.to_string(),
    }
}

fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if bare { name.to_owned() } else { text(name) }
}

/// A TOML string.
fn text(value: &str) -> String {
    let plain = !value.contains(|c: char| c == '\'' || (c.is_control() && c != '\t'));
    if plain && (value.contains('"') || value.contains('\\')) {
        return format!("'{value}'");
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(all(test, feature = "macros"))]
mod tests {
    use pop_compiler::source::Source;
    use schemars::JsonSchema;

    use super::*;
    use crate::operation;

    /// Encodes "one" rung.
    #[operation("media.encode", output = Encoded)]
    #[derive(JsonSchema)]
    struct Encode {
        /// The mezzanine,
        /// as a path.
        source: std::path::PathBuf,
        ladder: Vec<Rung>,
        #[serde(rename = "max bits")]
        bits: Option<u32>,
        mode: Mode,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Rung {
        height: u32,
    }

    #[derive(JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only described")]
    enum Mode {
        Fast,
        Good,
    }

    /// A folder, or
    /// what is in it.
    ///
    /// It may hold others.
    #[operation("list.tree", output = Tree)]
    #[derive(JsonSchema)]
    struct List {
        root: Tree,
        also: Option<Left>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Tree {
        name: String,
        inside: Vec<Tree>,
        by_name: std::collections::BTreeMap<String, Tree>,
        parent: Option<Box<Tree>>,
        rung: Rung,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Left {
        right: Vec<Right>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Right {
        left: Box<Left>,
        rung: Rung,
    }

    #[test]
    fn a_type_that_holds_itself_goes_by_its_name() {
        let known = Known::of::<List>();
        let text = catalog(&[&known], "ops");
        assert_eq!(
            text,
            r#"# Printed by `ops --describe`: what its handlers take and give.

[types]
Left = { right = "list<{left: Left, rung: {height: int}}>" }
Tree = { name = "string", inside = "list<Tree>", by_name = "map<Tree>", parent = "Tree?", rung = "{height: int}" }

[operations."list.tree"]
description = "A folder, or what is in it.\n\nIt may hold others."
input = { root = "Tree", also = "Left?" }
output = "Tree"
command = ["ops", "list.tree"]
"#
        );
        let loaded = pop_compiler::load_catalog(&Source::new("ops.toml", text));
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        assert_eq!(loaded.catalog.get("list.tree").unwrap().output.to_string(), "Tree");
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Encoded {
        file: String,
        bytes: u64,
    }

    /// Takes nothing.
    #[operation("plain", output = (), command = ["sh", "-c", "echo \"it's\"", "x"], stdout = "json", stdin = "a")]
    #[derive(JsonSchema)]
    struct Plain {}

    #[test]
    fn what_is_printed_is_what_the_types_say() {
        let known = [Known::of::<Encode>(), Known::of::<Plain>()];
        let text = catalog(&known.iter().collect::<Vec<_>>(), "media-ops");
        assert_eq!(
            text,
            r#"# Printed by `media-ops --describe`: what its handlers take and give.

[operations."media.encode"]
description = 'Encodes "one" rung.'
output = { file = "string", bytes = "int" }
command = ["media-ops", "media.encode"]

[operations."media.encode".input]
# The mezzanine,
# as a path.
source = "string"
ladder = "list<{height: int}>"
"max bits" = "int?"
mode = '"fast" | "good"'

[operations.plain]
description = "Takes nothing."
input = {}
output = "null"
command = ["sh", "-c", "echo \"it's\"", "x"]
stdin = "a"
stdout = "json"
"#
        );
        let loaded = pop_compiler::load_catalog(&Source::new("ops.toml", text));
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        for known in &known {
            let (read, made) = (loaded.catalog.get(known.name()).unwrap(), known.operation_type());
            assert_eq!((&read.input, &read.output), (&made.input, &made.output));
            assert_eq!(read.description, made.description);
        }
    }
    /// Runs in a pod.
    #[operation(
        "pod.run",
        output = (),
        image = "registry.example.com/run:1",
        kubernetes = { gpu: 1, labels: { "a.com/b": "c" }, affinity: { nodeAffinity: {} },
            volumes: [{ name: "a", mount_path: "/a", empty_dir: { size_limit: "1Gi" } }] },
        secrets = { TOKEN: "registry/token" },
        idempotent = true
    )]
    #[derive(JsonSchema)]
    struct Pod {}

    #[test]
    fn settings_for_kubernetes_are_printed_and_read_again() {
        let known = Known::of::<Pod>();
        let text = catalog(&[&known], "ops");
        let settings = r#"image = "registry.example.com/run:1"
secrets = { TOKEN = "registry/token" }
idempotent = true
kubernetes = { affinity = { nodeAffinity = {} }, volumes = [{ name = "a", mount_path = "/a", empty_dir = { size_limit = "1Gi" } }], labels = { "a.com/b" = "c" }, gpu = 1 }
"#;
        assert!(text.ends_with(settings), "{text}");
        let loaded = pop_compiler::load_catalog(&Source::new("ops.toml", text));
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        let read = loaded.catalog.get("pod.run").unwrap();
        assert_eq!(read.run, known.operation_type().run);
    }
}
