//! Typed clients of workflows in other languages, as a pure function from templates to files. The files depend only on
//! the templates and the places of their operations, in any order.
//!
//! `model` is a workflow without a language; each language prints the model in a file of its own.
//!
//! A client's types hold where the client is compiled or type-checked. The server checks every input in full. A client
//! checks the kind of each part of the outputs. It leaves the form of texts (a URL, a duration) to the server, and
//! ignores unknown fields. A client reports values that its language cannot hold: whole numbers beyond 64 bits in Rust,
//! and beyond 2^53 in TypeScript.

mod labels;
mod model;
mod names;
mod python;
mod rust;
mod schema;
mod typescript;

use std::collections::BTreeMap;

use crate::agenda::AgendaTemplate;
use crate::compile::Compiled;
use model::Flow;
pub use names::Clash;

/// Language of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A module on top of `pop-sdk`.
    Rust,
    /// Modules without dependencies except `fetch`.
    Typescript,
    /// A package on top of `httpx`.
    Python,
}

/// A workflow for a client.
#[derive(Clone, Debug)]
pub struct Input {
    /// Source file, for messages.
    pub file: String,
    /// The template. A bare agenda is a template without inputs.
    pub template: AgendaTemplate,
    /// Place of each operation: its name, and `file:line:column`.
    pub places: Vec<(String, String)>,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path in the directory of the clients.
    pub path: String,
    /// Content of the file.
    pub text: String,
}

/// Why no client can be generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A template without the name of its workflow.
    NoName {
        /// The file.
        file: String,
    },
    /// Two workflows with the same client file.
    SameName {
        /// The files of the workflows.
        files: [String; 2],
        /// File of both clients.
        path: String,
    },
    /// Different names in a workflow that become the same.
    Clashes {
        /// The file of the workflow.
        file: String,
        /// The pairs of names.
        clashes: Vec<Clash>,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoName { file } => {
                write!(
                    f,
                    "no client for {file}: missing name in `pop.workflow`. Build the file with `popc build`"
                )
            }
            Self::SameName { files: [first, second], path } => {
                write!(
                    f,
                    "the clients of {first} and {second} would both be {path}. Rename one of the workflows"
                )
            }
            Self::Clashes { file, clashes } => {
                for (i, clash) in clashes.iter().enumerate() {
                    write!(f, "{}no client for {file}: {clash}", if i == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Error {}

impl Input {
    /// The template and the places of a compiled workflow.
    pub fn new(file: String, compiled: &Compiled) -> Option<Self> {
        let template = match (&compiled.template, &compiled.agenda) {
            (Some(template), _) => template.clone(),
            (None, Some(agenda)) => AgendaTemplate { agenda: agenda.clone(), ..AgendaTemplate::default() },
            (None, None) => return None,
        };
        let mut places: Vec<(String, String)> = compiled
            .source_map
            .iter()
            .filter_map(|(name, span)| {
                let source = compiled.sources.get(span.file)?;
                let at = source.position(span.start);
                Some((name.to_owned(), format!("{}:{}:{}", source.name, at.line, at.column)))
            })
            .collect();
        places.sort();
        Some(Self { file, template, places })
    }
}

/// The client files of these workflows, by path: one file for each workflow, and shared ones.
///
/// # Errors
/// A workflow has no name, two of its names become the same, or two workflows need the same file.
pub fn generate(language: Language, inputs: &[Input]) -> Result<Vec<File>, Error> {
    let mut flows: BTreeMap<String, (&str, Flow)> = BTreeMap::new();
    for input in inputs {
        let flow = Flow::new(input)?;
        let (module, clashes) = match language {
            Language::Rust => (rust::module(&flow.name), rust::clashes(&flow)),
            Language::Typescript => (typescript::module(&flow.name), Vec::new()),
            Language::Python => (python::module(&flow.name), python::clashes(&flow)),
        };
        without(clashes, &flow, input)?;
        let path = match language {
            Language::Rust => format!("{module}.rs"),
            Language::Typescript => format!("{module}.ts"),
            Language::Python => format!("{module}.py"),
        };
        if let Some((first, _)) = flows.get(&module) {
            let mut files = [(*first).to_owned(), input.file.clone()];
            files.sort();
            return Err(Error::SameName { files, path });
        }
        flows.insert(module, (&input.file, flow));
    }
    let mut exports: BTreeMap<String, &str> = BTreeMap::new();
    for (file, flow) in flows.values().filter(|_| language == Language::Typescript) {
        let export = typescript::export(&flow.name);
        if let Some(first) = exports.insert(export.clone(), file) {
            let mut files = [first.to_owned(), (*file).to_owned()];
            files.sort();
            return Err(Error::SameName { files, path: format!("`{export}` in index.ts") });
        }
    }
    let flows: Vec<(&str, &Flow)> = flows.iter().map(|(module, (_, flow))| (module.as_str(), flow)).collect();
    let mut files = match language {
        Language::Rust => rust::files(&flows),
        Language::Typescript => typescript::files(&flows),
        Language::Python => python::files(&flows),
    };
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// An error, if two of these names or of the types become the same.
fn without(clashes: Vec<Clash>, flow: &Flow, input: &Input) -> Result<(), Error> {
    let clashes = [flow.clashes.clone(), clashes].concat();
    if clashes.is_empty() { Ok(()) } else { Err(Error::Clashes { file: input.file.clone(), clashes }) }
}

/// Name of a workflow's Rust module, and the text of its types: `Inputs`, `Outputs`, and the types inside. The text is
/// for a place with `serde` and `typed` in scope: the module `runtime`, which contains serde.
///
/// # Errors
/// The workflow has no name, or two of its names become the same.
pub fn rust_types(input: &Input, runtime: &str) -> Result<(String, String), Error> {
    let flow = Flow::new(input)?;
    without(rust::clashes(&flow), &flow, input)?;
    Ok((rust::module(&flow.name), rust::types(&flow, runtime)))
}

/// Head of every generated file.
const GENERATED: &str = "Generated by `popc client`. Do not edit: generate it again.";

/// A text in single quotes for TypeScript and Python.
fn single_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c if is_direction(c) || ('\u{2028}'..='\u{2029}').contains(&c) => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if u32::from(c) < 0x20 || c == '\u{7f}' => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// Whether a character changes the direction of text: the printed text would read differently than it works.
fn is_direction(c: char) -> bool {
    ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// Lines of a comment, without characters that a comment cannot hold.
fn comment(docs: &[String]) -> Vec<String> {
    let clean =
        |line: &str| line.chars().filter(|c| !c.is_control() && !is_direction(*c)).collect::<String>();
    let lines = docs.iter().flat_map(|doc| if doc.is_empty() { vec![""] } else { doc.lines().collect() });
    lines.map(|line| clean(line).trim_end().to_owned()).collect()
}

/// A text in double quotes for TypeScript and Python: the form of JSON.
fn double_quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    if !quoted.contains(is_direction) {
        return quoted;
    }
    let escaped = |c: char| if is_direction(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    quoted.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests;
