//! From a file and inputs to an agenda that can run: the compiler's findings are printed here, for all commands alike.

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
    /// The inputs: JSON text, a file that holds it, or `-` for standard input.
    #[arg(long, value_name = "JSON|FILE")]
    input: Option<String>,
    /// One input: JSON, or else taken as text. May be repeated; wins over --input.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

/// What a file holds, checked.
#[derive(Debug)]
pub enum File {
    /// A ready agenda.
    Agenda(Box<Agenda>),
    /// A template.
    Template(Box<AgendaTemplate>),
}

/// An agenda that can run, and how its operation types run.
#[derive(Debug)]
pub struct Loaded {
    /// The agenda.
    pub agenda: Agenda,
    /// Operation types from catalogs given on the command line; the agenda's own are in its `pop.types`.
    pub types: HashMap<String, RunSpec>,
}

/// Reads and checks a file. The inner error is the exit code after findings were printed.
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
    /// Fills the inputs in. Paths among them are taken from the current folder, defaults from the file's.
    pub fn with_inputs(self, inputs: &Inputs, folder: &Path) -> Result<Result<Loaded, Exit>> {
        let given = inputs.read()?;
        let agenda = match self {
            Self::Agenda(agenda) => {
                if given.is_some() {
                    anyhow::bail!("this file takes no inputs; leave out --input and --set");
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
                std::io::stdin().read_to_string(&mut text).context("can't read standard input")?;
                serde_json::from_str(&text).context("standard input is not JSON")?
            }
            Some(text) if text.trim_start().starts_with('{') => {
                serde_json::from_str(text).context("--input is not JSON")?
            }
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("can't read {path}"))?;
                serde_json::from_str(&text).with_context(|| format!("{path} is not JSON"))?
            }
        };
        let Value::Object(map) = &mut value else { anyhow::bail!("the inputs must be a JSON object") };
        for pair in &self.set {
            let (name, text) =
                pair.split_once('=').with_context(|| format!("--set {pair}: write NAME=VALUE"))?;
            let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
            map.insert(name.to_owned(), value);
        }
        Ok(Some(value))
    }
}

/// The operation types of a catalog file.
pub fn catalog(path: &Path) -> Result<HashMap<String, RunSpec>> {
    let loaded = cli::catalog_file(path)?;
    show(&loaded.diagnostics, &loaded.sources);
    if has_errors(&loaded.diagnostics) {
        anyhow::bail!("the catalog {} has errors", path.display());
    }
    let types = &loaded.catalog.types;
    let running = loaded.catalog.iter().filter(|kind| kind.run.runs());
    Ok(running.map(|kind| (kind.name.to_string(), kind.run_spec(types))).collect())
}

/// The folder that a file lies in.
pub fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf())
}

/// Inputs of type `path` become absolute: programs run in folders of their own.
fn absolute_paths(template: &AgendaTemplate, inputs: Value, folder: &Path) -> Value {
    let Value::Object(mut inputs) = inputs else { return inputs };
    let properties =
        template.params.get(keys::INPUTS).and_then(|s| s.get("properties")).and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        if schema.get("format").and_then(Value::as_str) != Some("path") {
            continue;
        }
        let (given, base) = match inputs.get(name) {
            Some(value) => (value.as_str(), None),
            None => (schema.get("default").and_then(Value::as_str), Some(folder)),
        };
        let Some(path) = given.map(PathBuf::from) else { continue };
        let path = base.map_or_else(|| path.clone(), |base| base.join(&path));
        if let Ok(path) = std::path::absolute(path) {
            inputs.insert(name.clone(), Value::from(path.to_string_lossy()));
        }
    }
    Value::Object(inputs)
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
