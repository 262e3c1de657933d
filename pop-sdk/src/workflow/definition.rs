//! What the macros know about a workflow.

use serde_json::Value;

use crate::operation::Callable;

/// What a macro knows about a workflow.
#[derive(Clone, Debug)]
pub enum Definition {
    /// Of `workflow!`.
    InRust(InRust),
    /// Of `include_workflow!`.
    InFiles(InFiles),
}

/// A workflow that is written in Rust.
#[derive(Clone, Debug)]
pub struct InRust {
    /// The workflow in the JSON form of the language. Operation types go by the names of their Rust types.
    pub source: &'static str,
    /// The Rust file that it is in.
    pub file: &'static str,
    /// Where it is in that file, and where each of its operations is: `line:column`, separated by spaces.
    pub places: &'static str,
    /// What stands as an operation: the name in `source`, and what the Rust type says.
    pub operations: Vec<(&'static str, Callable)>,
    /// Named types: the name in `source`, and the JSON Schema.
    pub types: Vec<(&'static str, Value)>,
    /// Constants: what stands for each in `source`, and its JSON.
    pub constants: Vec<(&'static str, Value)>,
    /// Set when the result is one output rather than a record of all of them: that output's name.
    pub single: Option<&'static str>,
    /// The fields of a result that is a record of all outputs.
    pub result: ResultFields,
}

/// What is known of the fields of a workflow's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultFields {
    /// Their names in JSON, as serde reads them; none when nothing is known of them.
    InJson(&'static [&'static str]),
    /// Each one's name in Rust and in JSON.
    Named(&'static [(&'static str, &'static str)]),
}

/// A workflow that is written in the workflow language, and all the files that belong to it.
#[derive(Clone, Debug)]
pub struct InFiles {
    /// The name of the workflow's own file.
    pub entry: &'static str,
    /// Every file: its name and its text.
    pub files: &'static [(&'static str, &'static str)],
    /// The name of the file in which the project says how bad each finding is, if there is one.
    pub config: Option<&'static str>,
}

impl From<InRust> for Definition {
    fn from(definition: InRust) -> Self {
        Self::InRust(definition)
    }
}

impl From<InFiles> for Definition {
    fn from(definition: InFiles) -> Self {
        Self::InFiles(definition)
    }
}
