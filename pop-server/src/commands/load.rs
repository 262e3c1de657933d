//! Loads a file and inputs into a runnable agenda, and prints the compiler's findings for all commands.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use pop_compiler::agenda::{Agenda, AgendaTemplate, RunSpec, keys};
use pop_compiler::cli;
use pop_compiler::diagnostic::{Diagnostic, has_errors};
use pop_compiler::render::text::{self, Colour};
use pop_compiler::source::Sources;
use serde_json::{Map, Value};

use super::exit::Exit;

/// The inputs of a workflow, on the command line.
#[derive(Debug, Args)]
pub struct Inputs {
    /// Inputs as JSON text, as a JSON file, or `-` for standard input.
    #[arg(long, value_name = "JSON|FILE")]
    input: Option<String>,
    /// One input, as JSON or else as text. Repeatable; overrides --input.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

/// The checked content of a file.
#[derive(Debug)]
pub enum File {
    /// A complete agenda.
    Agenda(Box<Agenda>),
    /// A template.
    Template(Box<AgendaTemplate>),
}

/// A runnable agenda, and the run specs of its operation types.
#[derive(Debug)]
pub struct Loaded {
    /// The agenda.
    pub agenda: Agenda,
    /// Operation types of catalogs on the command line; the agenda's own types are in its `pop.types`.
    pub types: HashMap<String, RunSpec>,
}

/// Reads and checks a file. The inner error is the exit code after printed findings.
pub fn file(path: &Path) -> Result<Result<File, Exit>> {
    let compiled = cli::compile_file(path)?;
    show(&compiled.diagnostics, &compiled.sources);
    if has_errors(&compiled.diagnostics) {
        return Ok(Err(Exit::Findings));
    }
    Ok(match (compiled.agenda, compiled.template) {
        (Some(agenda), _) => Ok(File::Agenda(Box::new(agenda))),
        (None, Some(template)) => Ok(File::Template(Box::new(template))),
        (None, None) => Err(Exit::Findings),
    })
}

impl File {
    /// Fills in the inputs. A given path is relative to the current folder, a default path to `folder`.
    pub fn with_inputs(self, inputs: &Inputs, folder: &Path) -> Result<Result<Loaded, Exit>> {
        let given = inputs.read()?;
        let agenda = match self {
            Self::Agenda(agenda) => {
                if given.is_some() {
                    anyhow::bail!("this file declares no inputs: remove --input and --set");
                }
                *agenda
            }
            Self::Template(template) => {
                let inputs =
                    absolute_paths(&template, given.unwrap_or_else(|| Value::Object(Map::new())), folder);
                match template.expand(&inputs) {
                    Ok(agenda) => agenda,
                    Err(findings) => {
                        show(&findings, &Sources::new());
                        return Ok(Err(Exit::Findings));
                    }
                }
            }
        };
        let findings = pop_compiler::validate::agenda(&agenda);
        show(&findings, &Sources::new());
        if has_errors(&findings) {
            return Ok(Err(Exit::Findings));
        }
        Ok(Ok(Loaded { agenda, types: HashMap::new() }))
    }
}

impl Inputs {
    fn read(&self) -> Result<Option<Value>> {
        let mut value = match self.input.as_deref() {
            None if self.set.is_empty() => return Ok(None),
            None => Value::Object(Map::new()),
            Some("-") => {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("could not read standard input")?;
                serde_json::from_str(&text).context("invalid JSON in standard input")?
            }
            Some(text) if text.trim_start().starts_with('{') => {
                serde_json::from_str(text).context("invalid JSON in --input")?
            }
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("could not read {path}"))?;
                serde_json::from_str(&text).with_context(|| format!("invalid JSON in {path}"))?
            }
        };
        let Value::Object(map) = &mut value else { anyhow::bail!("invalid inputs: expected a JSON object") };
        for pair in &self.set {
            let (name, text) =
                pair.split_once('=').with_context(|| format!("invalid --set {pair}: use NAME=VALUE"))?;
            let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            map.insert(name.to_owned(), value);
        }
        Ok(Some(value))
    }
}

/// Reads the operation types of a catalog file.
pub fn catalog(path: &Path) -> Result<HashMap<String, RunSpec>> {
    let loaded = cli::catalog_file(path)?;
    show(&loaded.diagnostics, &loaded.sources);
    if has_errors(&loaded.diagnostics) {
        anyhow::bail!("catalog {} has errors. Fix the findings above", path.display());
    }
    let types = &loaded.catalog.types;
    let running = loaded.catalog.iter().filter(|kind| kind.run.runs());
    Ok(running.map(|kind| (kind.name.to_string(), kind.run_spec(types))).collect())
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf())
}

/// Makes the paths among the inputs absolute, because programs run in folders of their own. A given path is relative to
/// the current folder, a default path to the workflow's folder.
fn absolute_paths(template: &AgendaTemplate, inputs: Value, folder: &Path) -> Value {
    let Value::Object(mut inputs) = inputs else { return inputs };
    let Some(root) = template.params.get(keys::INPUTS) else { return Value::Object(inputs) };
    let properties = root.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let given = inputs.get(name).filter(|value| !value.is_null());
        let (mut value, base) = match (given, schema.get("default")) {
            (Some(value), _) => (value.clone(), None),
            (None, Some(default)) => (default.clone(), Some(folder)),
            (None, None) => continue,
        };
        if make_absolute(root, schema, &mut value, base) {
            inputs.insert(name.clone(), value);
        }
    }
    Value::Object(inputs)
}

/// Makes the paths in a value absolute; true if a path was found. The depths of the value and of the schema bound the
/// recursion.
fn make_absolute(root: &Value, schema: &Value, value: &mut Value, base: Option<&Path>) -> bool {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = pop_compiler::types::pointed(root, target);
        return target.is_some_and(|target| make_absolute(root, target, value, base));
    }
    if let Some(alternatives) = schema.get("anyOf").and_then(Value::as_array) {
        return alternatives.iter().any(|schema| make_absolute(root, schema, value, base));
    }
    match value {
        Value::String(text) if schema.get("format").and_then(Value::as_str) == Some("path") => {
            let path = base.map_or_else(|| PathBuf::from(&*text), |base| base.join(&*text));
            let Ok(path) = std::path::absolute(path) else { return false };
            *text = path.to_string_lossy().into_owned();
            true
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return false };
            // Every item counts, so the iteration must not stop at the first find.
            let found = items.iter_mut().map(|item| make_absolute(root, schema, item, base));
            found.filter(|found| *found).count() > 0
        }
        Value::Object(map) => {
            let properties = schema.get("properties");
            let found = map.iter_mut().map(|(name, value)| {
                let own = properties.and_then(|properties| properties.get(name));
                let schema = own.or_else(|| schema.get("additionalProperties"));
                schema.is_some_and(|schema| make_absolute(root, schema, value, base))
            });
            found.filter(|found| *found).count() > 0
        }
        _ => false,
    }
}

pub(super) fn show(diagnostics: &[Diagnostic], sources: &Sources) {
    if !diagnostics.is_empty() {
        let colour = if std::io::stderr().is_terminal() { Colour::Always } else { Colour::Never };
        let (text, more) = text::first_findings(diagnostics, sources, colour);
        anstream::eprint!("{text}");
        if more > 0 {
            anstream::eprintln!("… and {more} more findings");
        }
    }
}

#[cfg(test)]
mod tests {
    use pop_compiler::source::Source;
    use pop_compiler::{Format, Options, compile};
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_become_absolute_wherever_they_are() {
        let text = "[workflow]\nname = \"x\"\n[types]\nFile = \"path\"\nTree = \"{ at: File, below: list<Tree> }\"\n\
            [inputs]\nplain = \"path\"\nperhaps = \"path?\"\nlist = \"list<path>\"\nmap = \"map<File>\"\n\
            tree = \"Tree\"\nother = \"string\"\nboth = \"path | int\"\nown = { type = \"path?\", default = \"o\" }\nnone = \"path?\"\n\
            [operations.a]\nuses = \"pop.log\"\nwith = { message = \"x\" }\n";
        let compiled = compile(Source::new("x.pop.toml", text), Format::Toml, &Options::default());
        let here = std::env::current_dir().unwrap();
        let at = |name: &str| json!(here.join(name).to_string_lossy());
        let inputs = json!({
            "plain": "p", "perhaps": "q", "list": ["/l", "m"], "map": { "k": "n" }, "other": "o", "both": "b", "none": null,
            "tree": { "at": "t", "below": [{ "at": "u", "below": [] }] },
        });
        let expected = json!({
            "plain": at("p"), "perhaps": at("q"), "list": ["/l", at("m")], "map": { "k": at("n") }, "other": "o",
            "both": at("b"), "none": null, "own": "/flows/o",
            "tree": { "at": at("t"), "below": [{ "at": at("u"), "below": [] }] },
        });
        assert_eq!(absolute_paths(&compiled.template.unwrap(), inputs, Path::new("/flows")), expected);
    }
}
