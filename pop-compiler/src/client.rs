//! Typed clients of workflows in other languages: pure, from templates to files. What is written depends on nothing but
//! the templates and where their operations stand, in whatever order they come.
//!
//! `model` is a workflow without a language; each language prints it in a file of its own.
//!
//! A client holds what it sends to its types where it is compiled or type-checked, and leaves the rest to the server, which
//! checks every input. It reads outputs by what kind of value each part is: the form of a text (a URL, a duration) is the
//! server's to check, and fields that the client does not know are left aside. What a language can't hold, it says: whole
//! numbers beyond 64 bits in Rust, and beyond 2^53 in TypeScript.

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

/// A language that clients can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A module on top of `pop-sdk`.
    Rust,
    /// Modules without dependencies; `fetch` is all they need.
    Typescript,
    /// A package on top of `httpx`.
    Python,
}

/// A workflow that a client is wanted for.
#[derive(Clone, Debug)]
pub struct Input {
    /// The file that it comes from, for messages.
    pub file: String,
    /// The template. A bare agenda is a template without inputs.
    pub template: AgendaTemplate,
    /// Where each operation is written: its name, and `file:line:column`.
    pub places: Vec<(String, String)>,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the directory of the clients.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Why there are no clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A template does not say what its workflow is called.
    NoName {
        /// The file.
        file: String,
    },
    /// The clients of two workflows would be the same file.
    SameName {
        /// The files of the workflows.
        files: [String; 2],
        /// The file of both clients.
        path: String,
    },
    /// Names in a workflow would be one.
    Clashes {
        /// The file of the workflow.
        file: String,
        /// Which.
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
    /// What was compiled: the template, and where its operations are.
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

/// The files of the clients of these workflows, by path: one for each workflow, and those that they share.
///
/// # Errors
/// A workflow has no name, names in it would be one, or two would have the same file.
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

/// Nothing, if neither these names nor those of the types would be one.
fn without(clashes: Vec<Clash>, flow: &Flow, input: &Input) -> Result<(), Error> {
    let clashes = [flow.clashes.clone(), clashes].concat();
    if clashes.is_empty() { Ok(()) } else { Err(Error::Clashes { file: input.file.clone(), clashes }) }
}

/// What the Rust module of a workflow is called, and its types: `Inputs`, `Outputs`, and those in them. They are written
/// for a place where `serde` and `typed` are in scope: the module `runtime`, which has serde in it.
///
/// # Errors
/// The workflow has no name, or names in it would be one.
pub fn rust_types(input: &Input, runtime: &str) -> Result<(String, String), Error> {
    let flow = Flow::new(input)?;
    without(rust::clashes(&flow), &flow, input)?;
    Ok((rust::module(&flow.name), rust::types(&flow, runtime)))
}

/// The head of every file.
const GENERATED: &str = "Generated by `popc client`. Do not edit: generate it again.";

/// Text between single quotes as TypeScript and Python read it.
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

/// Characters that change the direction of text: what is printed with them reads otherwise than it works.
fn is_direction(c: char) -> bool {
    ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// Lines of a comment, without what has no place in one.
fn comment(docs: &[String]) -> Vec<String> {
    let clean =
        |line: &str| line.chars().filter(|c| !c.is_control() && !is_direction(*c)).collect::<String>();
    let lines = docs.iter().flat_map(|doc| if doc.is_empty() { vec![""] } else { doc.lines().collect() });
    lines.map(|line| clean(line).trim_end().to_owned()).collect()
}

/// Text between double quotes as TypeScript and Python read it: JSON's own form.
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
