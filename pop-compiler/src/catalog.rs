//! Operation types: their inputs, their outputs, and how they run. `decode` reads catalog files, and `resolve` merges
//! them.

mod builtin;
pub(crate) mod command;
pub(crate) mod kubernetes;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::agenda::RunSpec;
use crate::source::Span;
use crate::types::{Type, Types};

pub use kubernetes::as_written as kubernetes_as_written;

/// One operation type.
#[derive(Clone, Debug)]
pub struct OperationType {
    /// Name, such as `media.encode`.
    pub name: Arc<str>,
    /// Description for people.
    pub description: Option<String>,
    /// Type of `with`; [`Type::Any`] without a declaration.
    pub input: Type,
    /// Values of inputs that an operation leaves out, or sets to null. Their types in `input` are optional.
    pub defaults: BTreeMap<String, Json>,
    /// Descriptions of inputs, for people.
    pub descriptions: BTreeMap<String, String>,
    /// Type of the output; [`Type::Any`] without a declaration.
    pub output: Type,
    /// How an operation of the type runs.
    pub run: RunSpec,
    /// Default of an operation's `retry`, in the form of [`crate::agenda::keys::RETRY`].
    pub retry: Option<Json>,
    /// Default of an operation's `timeout`.
    pub timeout: Option<Json>,
    /// Default of an operation's `resources`.
    pub resources: Option<Json>,
    /// The input whose type is the type of the output, for types that pass a value through.
    pub(crate) passes: Option<&'static str>,
    /// Place of the declaration.
    pub(crate) declared: Option<Span>,
}

impl OperationType {
    /// An operation type with a name and without declarations.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            description: None,
            input: Type::Any,
            defaults: BTreeMap::new(),
            descriptions: BTreeMap::new(),
            output: Type::Any,
            run: RunSpec::default(),
            retry: None,
            timeout: None,
            resources: None,
            passes: None,
            declared: None,
        }
    }

    /// An operation type with an input and an output from JSON Schemas (2020-12) that were derived from a program's own
    /// types, as schemars does. See [`Type::from_derived_schema`].
    pub fn from_schemas(name: impl Into<Arc<str>>, input: &Json, output: &Json, run: RunSpec) -> Self {
        let (input, output) = (Type::from_derived_schema(input), Type::from_derived_schema(output));
        let mut run = run;
        command::mark(&mut run, &input, &Types::default());
        Self { input, output, run, ..Self::new(name) }
    }

    /// Whether every pool knows the type.
    pub(crate) fn is_built_in(&self) -> bool {
        builtin::NAMES.contains(&self.name.as_ref()) && !self.run.runs()
    }

    /// Whether two types are the same, regardless of the place of declaration.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let anywhere = |t: &Self| Self { declared: None, ..t.clone() };
        let (a, b) = (anywhere(self), anywhere(other));
        (a.name, a.description, a.input, a.output, a.run) == (b.name, b.description, b.input, b.output, b.run)
            && (a.defaults, a.descriptions) == (b.defaults, b.descriptions)
            && (a.retry, a.timeout, a.resources, a.passes) == (b.retry, b.timeout, b.resources, b.passes)
    }

    /// The type's entry in an agenda: how it runs, the places of secrets in its input, and the type of its output.
    pub fn run_spec(&self, types: &Types) -> RunSpec {
        let declared = !matches!(self.output, Type::Any | Type::Error);
        RunSpec {
            secrets: types.secret_pointers(&self.input),
            output: declared.then(|| self.output.to_schema(types)),
            ..self.run.clone()
        }
    }
}

/// Operation types by name, and their named types.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    operations: BTreeMap<Arc<str>, OperationType>,
    /// Named types.
    pub types: Types,
}

impl Catalog {
    /// An empty catalog.
    pub fn new() -> Self {
        Self::default()
    }

    /// The built-in operation types: `pop.sleep`, `pop.log`, `pop.transform`, and the original POP's `sample`,
    /// `logMessages` and `residentSample`.
    pub fn builtin() -> Self {
        let mut catalog = Self::new();
        for operation in builtin::operation_types() {
            catalog.insert(operation);
        }
        catalog
    }

    /// Adds an operation type, and returns the earlier one of that name.
    pub fn insert(&mut self, operation: OperationType) -> Option<OperationType> {
        self.operations.insert(operation.name.clone(), operation)
    }

    /// The same catalog with one more operation type.
    #[must_use]
    pub fn with(mut self, operation: OperationType) -> Self {
        self.insert(operation);
        self
    }

    /// The operation type of this name.
    pub fn get(&self, name: &str) -> Option<&OperationType> {
        self.operations.get(name)
    }

    /// All operation types, by name.
    pub fn iter(&self) -> impl Iterator<Item = &OperationType> {
        self.operations.values()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn code_can_build_a_catalog() {
        let input = json!({"type": "object", "properties": {"url": {"type": "string", "format": "uri"}}, "required": ["url"]});
        let probe = OperationType::from_schemas("media.probe", &input, &json!({}), RunSpec::default());
        let catalog = Catalog::builtin().with(probe);
        assert_eq!(catalog.get("media.probe").unwrap().input.to_string(), "{url: url}");
        assert_eq!(catalog.iter().count(), 7);
    }
}
