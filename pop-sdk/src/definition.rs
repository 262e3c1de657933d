//! What the macros know about a workflow, and about what stands as an operation in one.

use serde_json::Value;

use crate::operation::{Known, Operation};

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

/// What stands as an operation in a workflow: an [`Operation`], or the `Inputs` of another workflow.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operation",
    label = "not an operation",
    note = "put `#[pop_sdk::operation(\"name\", output = Type)]` on the struct"
)]
pub trait Callee {
    /// What it gives.
    type Output;
    /// The fields that must be given, and what to say when one is not.
    const REQUIRED: &'static [(&'static str, &'static str)];

    /// What is known of it.
    fn callable() -> Callable;
}

impl<O: Operation> Callee for O {
    type Output = O::Output;
    const REQUIRED: &'static [(&'static str, &'static str)] = O::REQUIRED;

    fn callable() -> Callable {
        Callable::Operation(Box::new(Known::of::<O>()))
    }
}

/// What is known at run time of something that stands as an operation.
#[derive(Clone, Debug)]
pub enum Callable {
    /// An operation type.
    Operation(Box<Known>),
    /// Another workflow.
    Workflow(Inner),
}

/// A workflow that stands as an operation of another.
#[derive(Clone, Debug)]
pub struct Inner {
    /// A name that no other workflow of the program has.
    pub(crate) name: &'static str,
    pub(crate) definition: fn() -> Definition,
}

impl Callable {
    /// The workflow `W`, as an operation of another.
    #[must_use]
    pub fn workflow<W>(definition: fn() -> Definition) -> Self {
        Self::Workflow(Inner { name: std::any::type_name::<W>(), definition })
    }
}
