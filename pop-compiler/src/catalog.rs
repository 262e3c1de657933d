//! Operation types: what they take, what they give, and how they run. Reading catalog files is `decode`'s part; putting
//! them together is `resolve`'s.

mod builtin;
pub(crate) mod command;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::agenda::RunSpec;
use crate::source::Span;
use crate::types::{Type, Types};

/// One operation type.
#[derive(Clone, Debug)]
pub struct OperationType {
    /// Its name, such as `media.encode`.
    pub name: Arc<str>,
    /// What a person wrote about it.
    pub description: Option<String>,
    /// The type of `with`; [`Type::Any`] when nothing is declared.
    pub input: Type,
    /// What inputs are that an operation leaves out, or for which it gives null. Their types in `input` are optional.
    pub defaults: BTreeMap<String, Json>,
    /// What a person wrote about its inputs.
    pub descriptions: BTreeMap<String, String>,
    /// The type of what it gives; [`Type::Any`] when nothing is declared.
    pub output: Type,
    /// How it runs.
    pub run: RunSpec,
    /// Default of an operation's `retry`, as [`crate::agenda::keys::RETRY`] has it.
    pub retry: Option<Json>,
    /// Default of an operation's `timeout`.
    pub timeout: Option<Json>,
    /// Default of an operation's `resources`.
    pub resources: Option<Json>,
    /// The input whose type is the type of the output, for types that hand a value through.
    pub(crate) passes: Option<&'static str>,
    /// Where it was declared.
    pub(crate) declared: Option<Span>,
}

impl OperationType {
    /// An operation type of which nothing is declared but its name.
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

    /// An operation type whose input and output are given as JSON Schemas (2020-12) that were derived from a program's
    /// own types, such as schemars makes; see [`Type::from_derived_schema`].
    pub fn from_schemas(name: impl Into<Arc<str>>, input: &Json, output: &Json, run: RunSpec) -> Self {
        let (input, output) = (Type::from_derived_schema(input), Type::from_derived_schema(output));
        let mut run = run;
        command::mark(&mut run, &input, &Types::default());
        Self { input, output, run, ..Self::new(name) }
    }

    /// Whether it is one of those that every pool knows.
    pub(crate) fn is_built_in(&self) -> bool {
        builtin::NAMES.contains(&self.name.as_ref()) && !self.run.runs()
    }

    /// Whether two types are the same wherever they were declared.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let anywhere = |t: &Self| Self { declared: None, ..t.clone() };
        let (a, b) = (anywhere(self), anywhere(other));
        (a.name, a.description, a.input, a.output, a.run) == (b.name, b.description, b.input, b.output, b.run)
            && (a.defaults, a.descriptions) == (b.defaults, b.descriptions)
            && (a.retry, a.timeout, a.resources, a.passes) == (b.retry, b.timeout, b.resources, b.passes)
    }

    /// What an agenda says of it: how it runs, where its input holds secrets, and the type of its output.
    pub fn run_spec(&self, types: &Types) -> RunSpec {
        let declared = !matches!(self.output, Type::Any | Type::Error);
        RunSpec {
            secrets: types.secret_pointers(&self.input),
            output: declared.then(|| self.output.to_schema(types)),
            ..self.run.clone()
        }
    }
}

/// Operation types by name, and the named types they use.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    operations: BTreeMap<Arc<str>, OperationType>,
    /// Named types.
    pub types: Types,
}

impl Catalog {
    /// A catalog without anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// What every workflow may use: `pop.sleep`, `pop.log`, `pop.transform` and `sample`.
    pub fn builtin() -> Self {
        let mut catalog = Self::new();
        for operation in builtin::operation_types() {
            catalog.insert(operation);
        }
        catalog
    }

    /// Adds an operation type, and gives back the one that had its name.
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
        assert_eq!(catalog.iter().count(), 5);
    }
}
