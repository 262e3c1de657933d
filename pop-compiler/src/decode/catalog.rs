//! Operation types: a catalog file, and `[catalog]` of a workflow file.

use serde_json::Value as Json;

use super::kubernetes::InFile;
use super::types::RecordOf;
use super::{CatalogFile, Decoder, take};
use crate::agenda::{Params, RunSpec, Stdout};
use crate::ast::{CommandText, Declared, DeclaredOutput, Input, OperationTypeDef, Settings};
use crate::rules::escaped;
use crate::source::{Format, Span, Spanned};
use crate::tree::{Entry, Node, Tree};
use crate::{budget, rules};

/// How far `catalog.` reaches before a name.
const SECTION: u32 = 8;
/// What `catalog` of a catalog file holds, which is for people.
const HEADER: &[&str] = &["name", "version", "description"];
const TOP: &[&str] = &["catalog", "types", "operations"];
const OPERATION_TYPE: &[&str] = &[
    "input",
    "output",
    "command",
    "stdin",
    "stdout",
    "image",
    "args",
    "env",
    "secrets",
    "kubernetes",
    "idempotent",
    "resources",
    "timeout",
    "retry",
    "description",
];

/// Keys that an operation has as well.
const SHARED: &[&str] = &["resources", "timeout", "retry", "description"];

/// Words that are no programs, but something that a shell does itself.
const BUILT_IN: &[&str] = &[
    ".", ":", "alias", "cd", "eval", "exec", "exit", "export", "set", "source", "trap", "ulimit", "umask",
    "unset",
];

/// Whether a line holds something that only a shell gives a meaning to, apart from our own `${with.NAME}`.
fn needs_shell(line: &str) -> bool {
    let rest = line.replace("${with.", "");
    let marks = rest.len() < line.len();
    // several lines are several commands
    if line.trim().contains('\n') {
        return true;
    }
    rest.contains(|c: char| "|&;<>()$`\\\"'*?[]#~{".contains(c) || c == '}' && !marks)
        || rest
            .split_whitespace()
            .next()
            .is_some_and(|program| program.contains('=') || BUILT_IN.contains(&program))
}

/// Keys that only an operation of a workflow has.
const OF_OPERATIONS: &[&str] = &["uses", "workflow", "with", "when", "each", "after"];

/// Whether these are the entries of a catalog file: operation types, and nothing of a workflow. A key of theirs may be
/// misspelt.
pub(super) fn is_catalog(entries: &[Entry]) -> bool {
    let keys = |tree: &Tree, wanted: &dyn Fn(&str) -> bool| match &tree.node {
        Node::Table(table) => table.entries.iter().any(|e| wanted(&e.key.value)),
        _ => false,
    };
    let own = |key: &str| OPERATION_TYPE.contains(&key) && !SHARED.contains(&key);
    let types = |tree: &Tree| match &tree.node {
        Node::Table(table) => {
            table.entries.iter().all(|e| !keys(&e.value, &|key| OF_OPERATIONS.contains(&key)))
                && table.entries.iter().any(|e| keys(&e.value, &own))
        }
        _ => false,
    };
    entries.iter().all(|entry| TOP.contains(&entry.key.value.as_str()) || entry.key.value == "$schema")
        && entries.iter().any(|entry| entry.key.value == "operations" && types(&entry.value))
}

/// Whether these are the entries of a workflow file.
fn is_workflow(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.key.value == "workflow" && matches!(entry.value.node, Node::Table(_)))
}

/// Whether a table can only be meant as an operation type.
fn is_operation_type(tree: &Tree) -> bool {
    match &tree.node {
        Node::Table(table) => table.entries.iter().any(|e| OPERATION_TYPE.contains(&e.key.value.as_str())),
        _ => false,
    }
}

/// Whether a field is written `{ record = { … } }`.
fn is_record(tree: &Tree) -> bool {
    match &tree.node {
        Node::Table(table) => {
            matches!(table.entries.as_slice(), [only] if only.key.value == "record" && matches!(only.value.node, Node::Table(_)))
        }
        _ => false,
    }
}

/// Adds the texts of a part of a command in which something may be replaced. Recursion is bounded by the depth of the
/// source.
fn texts(tree: &Tree, shows: bool, out: &mut Vec<CommandText>) {
    match &tree.node {
        Node::String(text) if text.value.contains(['$', '{']) => {
            out.push(CommandText { text: text.clone(), shows });
        }
        Node::List(items) => items.iter().for_each(|item| texts(item, shows, out)),
        Node::Table(table) => table.entries.iter().for_each(|entry| texts(&entry.value, shows, out)),
        _ => {}
    }
}

const STDOUT: &[&str] = &["log", "json", "text", "lines"];

impl Decoder<'_> {
    pub(super) fn catalog_file(mut self, tree: Tree) -> CatalogFile {
        let mut file = CatalogFile::default();
        let mut entries = self.table(tree, "a catalog file").unwrap_or_default();
        if is_workflow(&entries) {
            file.is_workflow = true;
            return file;
        }
        if let Some(at) = entries.iter().position(|entry| entry.key.value == "catalogs") {
            self.out.push(rules::unknown_key::in_catalog(&entries.remove(at).key));
        }
        self.sections(&mut entries, "a catalog file", TOP);
        for Entry { key, value } in entries {
            match key.value.as_str() {
                "types" => file.types = self.type_defs(value),
                "operations" => file.operation_types.extend(self.operation_types(value, "`operations`")),
                "catalog" => {
                    let moved = self.header_of_catalog(&key, value);
                    file.operation_types.extend(moved);
                }
                _ => {}
            }
        }
        file
    }

    /// The header of a catalog file, which is for people. Operation types that a workflow had there are told, and given
    /// back.
    fn header_of_catalog(&mut self, section: &Spanned<String>, tree: Tree) -> Vec<OperationTypeDef> {
        let entries = self.table(tree, "`catalog`").unwrap_or_default();
        let all = entries.iter().all(|entry| is_operation_type(&entry.value));
        let mut moved = Vec::new();
        for entry in entries {
            let key = &entry.key;
            if is_operation_type(&entry.value) {
                // in TOML, each has the section's name directly before its own
                let before = key.span.start.checked_sub(SECTION).map(|start| Span {
                    start,
                    end: key.span.start - 1,
                    ..key.span
                });
                let own = if moved.is_empty() && all { Some(section.span) } else { before };
                self.out.push(rules::unknown_key::moved(key, own));
                moved.push(self.operation_type(entry));
            } else if HEADER.contains(&key.value.as_str()) {
                self.string(entry.value, format_args!("`{}`", key.value));
            } else {
                self.out.push(rules::unknown_key::report(key, "`catalog`", HEADER));
            }
            budget::enforce(self.out);
        }
        moved
    }

    pub(super) fn operation_types(&mut self, tree: Tree, what: &str) -> Vec<OperationTypeDef> {
        let entries = self.table(tree, what).unwrap_or_default();
        entries.into_iter().map(|e| self.operation_type(e)).collect()
    }

    fn operation_type(&mut self, Entry { key: name, value }: Entry) -> OperationTypeDef {
        let what = format!("the operation type `{}`", name.value);
        let mut def = OperationTypeDef {
            name,
            description: None,
            input: None,
            inputs: Vec::new(),
            output: None,
            output_place: None,
            run: RunSpec::default(),
            texts: Vec::new(),
            settings: Settings::default(),
        };
        let mut stdout = None;
        let mut places = InFile::default();
        let mut entries = self.table(value, &what).unwrap_or_default();
        for i in 0..entries.len() {
            let value = take(&mut entries[i]);
            let mut key = entries[i].key.value.as_str();
            loop {
                if OPERATION_TYPE.contains(&key) {
                    let pointer = if key == "secrets" { "/secretEnv".into() } else { format!("/{key}") };
                    places.add(pointer, entries[i].key.span, value.span);
                }
                match key {
                    "input" => def.input = self.declared_input(value, &mut def.inputs),
                    "output" => {
                        def.output_place = Some(DeclaredOutput { span: value.span, stdout: None });
                        def.output = self.declared(value);
                    }
                    "command" => {
                        texts(&value, true, &mut def.texts);
                        def.run.command = self.words(value, "`command`");
                    }
                    "args" => {
                        texts(&value, true, &mut def.texts);
                        def.run.args = self.words(value, "`args`");
                    }
                    "stdin" => {
                        texts(&value, false, &mut def.texts);
                        def.run.stdin = self.string(value, "`stdin`").map(|s| s.value);
                    }
                    "stdout" => {
                        stdout = matches!(value.node, Node::String(_)).then_some(value.span);
                        def.run.stdout = self.stdout(value);
                    }
                    "image" => {
                        if let Some(image) = self.string(value, "`image`") {
                            self.out.extend(rules::bad_image::check(&image));
                            def.run.image = Some(image.value);
                        }
                    }
                    "env" => {
                        texts(&value, false, &mut def.texts);
                        def.run.env = self.env(value, &mut places);
                    }
                    "secrets" => def.run.secret_env = self.secret_env(value, &mut places),
                    "kubernetes" => def.run.kubernetes = self.kubernetes(value, &mut places),
                    "idempotent" => def.run.idempotent = self.flag(value, "`idempotent`") == Some(true),
                    "resources" => def.settings.resources = self.resources(value).map(Box::new),
                    "timeout" => def.settings.timeout = self.duration(value, "`timeout`").map(Box::new),
                    "retry" => self.retry(value, &mut def.settings),
                    "description" => def.description = self.string(value, "`description`").map(|s| s.value),
                    _ => {
                        let near = rules::unknown_key::meant(key, OPERATION_TYPE);
                        if matches!(value.node, Node::Table(_)) && near.is_none() {
                            self.out.push(rules::unknown_key::dotted(
                                &entries[i].key,
                                &def.name.value,
                                &what,
                            ));
                        } else if let Some(meant) =
                            self.unknown_key(&entries, i, &value, &what, OPERATION_TYPE)
                        {
                            key = meant;
                            continue;
                        }
                    }
                }
                break;
            }
        }
        if let Some(place) = &mut def.output_place {
            place.stdout = stdout;
        }
        rules::bad_kubernetes_settings::check(&def.run, &places, &mut |finding| {
            self.out.push(finding);
            budget::enforce(self.out);
        });
        def
    }

    /// As [`Decoder::declared`]; a field may be an input as a workflow has it, with a default and a description, which are
    /// kept in `inputs`. So a record with a field called `type` is written `{ record = { … } }`.
    fn declared_input(&mut self, tree: Tree, inputs: &mut Vec<Input>) -> Option<Declared> {
        let has = |tree: &Tree, key: &str| match &tree.node {
            Node::Table(table) => table.entries.iter().any(|entry| entry.key.value == key),
            _ => false,
        };
        let Node::Table(table) = &tree.node else { return self.declared(tree) };
        if !table.entries.iter().any(|entry| has(&entry.value, "type") || is_record(&entry.value)) {
            return self.declared(tree);
        }
        let mut record = RecordOf::default();
        for entry in self.table(tree, "`input`")? {
            if is_record(&entry.value) {
                let Node::Table(table) = entry.value.node else { continue };
                let inner = table.entries.into_iter().next().and_then(|inner| self.type_expr(inner.value));
                record.add(entry.key.value, inner);
            } else if has(&entry.value, "type") {
                let input = self.input(entry);
                record.add(input.name.value.clone(), Some(input.ty.value.clone()));
                inputs.push(input);
            } else {
                let ty = self.type_expr(entry.value);
                record.add(entry.key.value, ty);
            }
        }
        Some(Declared::Expr(record.finish()))
    }

    /// A type, or `{ schema = "x.schema.json" }`. A record with a field called `schema` has a type there, and no type ends
    /// in `.json`.
    fn declared(&mut self, tree: Tree) -> Option<Declared> {
        if let Node::Table(table) = &tree.node
            && let [Entry { key, value: Tree { node: Node::String(path), span } }] = table.entries.as_slice()
            && key.value == "schema"
            && Format::from_path(&path.value) == Some(Format::Json)
        {
            return Some(Declared::Schema(Spanned::new(path.value.clone(), *span)));
        }
        self.type_expr(tree).map(Declared::Expr)
    }

    /// A list of strings; unlike [`Decoder::strings`], one string alone is a fault, since it looks like a shell line.
    fn words(&mut self, tree: Tree, what: &str) -> Vec<String> {
        if let Node::String(line) = &tree.node {
            let words: Vec<String> =
                line.value.split_whitespace().map(|word| Json::from(word).to_string()).collect();
            let plain = !words.is_empty() && !needs_shell(&line.value);
            self.out.push(rules::wrong_shape::command(tree.span, what, plain.then_some(&words)));
            return Vec::new();
        }
        self.strings(tree, what).into_iter().map(|s| s.value).collect()
    }

    fn stdout(&mut self, tree: Tree) -> Stdout {
        let Some(word) = self.string(tree, "`stdout`") else { return Stdout::Log };
        match word.value.as_str() {
            "log" => Stdout::Log,
            "json" => Stdout::Json,
            "text" => Stdout::Text,
            "lines" => Stdout::Lines,
            _ => {
                self.out.push(rules::wrong_shape::word(&word, "`stdout`", STDOUT));
                Stdout::Log
            }
        }
    }

    fn env(&mut self, tree: Tree, places: &mut InFile) -> Params {
        let mut env: Vec<(String, serde_json::Value)> = Vec::new();
        for Entry { key, value } in self.table(tree, "`env`").unwrap_or_default() {
            places.add(format!("/env/{}", escaped(&key.value)), key.span, value.span);
            let text = match value.node {
                Node::Number(n) => Some(n.to_string()),
                Node::Bool(b) => Some(b.to_string()),
                _ => self.string(value, "an environment variable").map(|s| s.value),
            };
            env.extend(text.map(|t| (key.value, t.into())));
        }
        env.sort_by(|a, b| a.0.cmp(&b.0));
        env.into_iter().collect()
    }
}
