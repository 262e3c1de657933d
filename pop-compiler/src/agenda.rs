//! The Agenda data model: what the compiler emits and the server runs. It is POP's, so existing agendas keep working;
//! what POP lacked lives in `params` under the names in [`keys`].

mod dependencies;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use dependencies::{Dependency, EdgeKind, Mention, dependencies, mentions};

/// Free-form parameters of an agenda, a template or an operation.
pub type Params = Map<String, Value>;

/// Names of the `params` entries that mean something.
pub mod keys {
    /// Operation: names of operations that must end first, comma-separated (or an array of names).
    pub const DEPENDS_ON: &str = "dependsOn";
    /// Operation: marks a generator; `{operationsJsonPointer, names?, logOnly?}`. See [`crate::generator`].
    pub const GENERATOR: &str = "agenda.operation.generator";
    /// Operation: the generator that made it.
    pub const GENERATED_BY: &str = "generatedOperationParent";
    /// Operation of the type `pop.fanOut`: `{name, operations}`, what it makes for each item.
    pub const FAN_OUT: &str = "pop.fanOut";
    /// Operation: `{attempts, backoff?, on?}`.
    pub const RETRY: &str = "pop.retry";
    /// Operation: the longest one attempt may run, such as `2h`.
    pub const TIMEOUT: &str = "pop.timeout";
    /// Operation: a boolean or a reference to one; `false` skips the operation.
    pub const WHEN: &str = "pop.when";
    /// Operation: `{cpu?, memory?}` in Kubernetes quantities.
    pub const RESOURCES: &str = "pop.resources";
    /// Operation of a template: the list (or the reference to one) over which the operation fans out.
    pub const EACH: &str = "pop.each";
    /// Operation: what a person wrote about it.
    pub const DESCRIPTION: &str = "pop.description";
    /// Agenda: `{name, version?, description?, digest}` of the workflow it was compiled from.
    pub const WORKFLOW: &str = "pop.workflow";
    /// Agenda: how each operation type that it uses is run, and what it gives: type → [`super::RunSpec`].
    pub const TYPES: &str = "pop.types";
    /// Agenda: the workflow's outputs: name → value with references.
    pub const RESULT: &str = "pop.result";
    /// Agenda: `continue` (default) or `stop`.
    pub const ON_FAILURE: &str = "pop.onFailure";
    /// Agenda: how many of its leases may be lost in a row before it fails (POP's key; default 20).
    pub const MAXIMUM_ATTEMPTS: &str = "maximumAttempts";
    /// Agenda: title or id of the insight to prefer among those that match.
    pub const DEFAULT_INSIGHT: &str = "defaultInsight";
    /// Agenda: present (whatever its value) means: store, but do not queue.
    pub const DO_NOT_RUN: &str = "doNotRun";
    /// Template: JSON Schema (2020-12) of the inputs; defaults inside.
    pub const INPUTS: &str = "pop.inputs";
    /// Template: JSON Schema (2020-12) of the outputs.
    pub const OUTPUTS: &str = "pop.outputs";
}

/// A DAG of operations whose payloads refer to each other's outputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Agenda {
    /// Given by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Correlation id for logs and traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// A label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The customer that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The client's own grouping key, shared by any number of agendas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_id: Option<String>,
    /// Parameters; see [`keys`].
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Map::is_empty")]
    pub params: Params,
    /// The operations; their order has no meaning.
    #[serde(deserialize_with = "null_as_default")]
    #[schemars(with = "Vec<Operation>")]
    pub operations: Operations,
}

/// A list of operations that its copies share until one of them is changed: filling in a template of a million
/// operations costs nothing where there is nothing to fill in. It is used as a `Vec`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations(Arc<Vec<Operation>>);

impl Deref for Operations {
    type Target = Vec<Operation>;

    fn deref(&self) -> &Vec<Operation> {
        &self.0
    }
}

impl DerefMut for Operations {
    fn deref_mut(&mut self) -> &mut Vec<Operation> {
        Arc::make_mut(&mut self.0)
    }
}

impl From<Vec<Operation>> for Operations {
    fn from(operations: Vec<Operation>) -> Self {
        Self(Arc::new(operations))
    }
}

impl FromIterator<Operation> for Operations {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        operations.into_iter().collect::<Vec<_>>().into()
    }
}

impl IntoIterator for Operations {
    type Item = Operation;
    type IntoIter = std::vec::IntoIter<Operation>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}

impl<'a> IntoIterator for &'a Operations {
    type Item = &'a Operation;
    type IntoIter = std::slice::Iter<'a, Operation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a mut Operations {
    type Item = &'a mut Operation;
    type IntoIter = std::slice::IterMut<'a, Operation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl Serialize for Operations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

/// One operation of an agenda.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Operation {
    /// Identity inside the agenda, unique whatever the letter case; its output is `<name>.out`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The operation type, such as `media.encode`.
    #[serde(rename = "type", deserialize_with = "null_as_default")]
    pub kind: String,
    /// Informational; handed to the handler as `OPERATION_ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The handler's input, with references.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    /// Parameters; see [`keys`].
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Map::is_empty")]
    pub params: Params,
}

/// A skeleton agenda whose references to inputs are filled in when somebody submits them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AgendaTemplate {
    /// Given by the server, or by the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A label; copied to an agenda that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The customer that owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Constants by name.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Map::is_empty")]
    pub static_parameters: Params,
    /// Parameters; see [`keys`].
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Map::is_empty")]
    pub params: Params,
    /// The skeleton.
    pub agenda: Agenda,
}

/// How an operation type runs, and what it gives. Every field is optional; a type with neither `command` nor `image` must
/// be known to the pool (built in, or in the pool's own catalog).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RunSpec {
    /// Program and arguments of a local process; `${with.NAME}` stands for an input, and `${with.NAME?}` for one that may
    /// be absent: it is empty then, and no argument at all where the argument is nothing else. No shell is involved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// What goes to standard input, with `${with.NAME}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// What standard output means.
    #[serde(skip_serializing_if = "Stdout::is_log")]
    pub stdout: Stdout,
    /// Container image for Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Arguments of the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment variables set for the program, with `${with.NAME}`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub env: Params,
    /// Where in an input secret values are: JSON pointers, `*` for each item of a list or map.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// JSON Schema (2020-12) of the output; an operation whose output is something else fails. Without one, nothing is
    /// checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

impl RunSpec {
    /// Whether it says how to run something, and not only what it takes and gives.
    pub fn runs(&self) -> bool {
        !self.command.is_empty() || self.image.is_some()
    }
}

/// What a program's standard output means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stdout {
    /// Log lines only.
    #[default]
    Log,
    /// The output itself, as JSON.
    Json,
    /// One field of the output: the only one that is declared, or else `text`.
    Text,
    /// One field of the output, a list of its lines: the only one that is declared, or else `lines`.
    Lines,
}

impl Stdout {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    fn is_log(&self) -> bool {
        *self == Self::Log
    }
}

/// POP writes explicit nulls where it means "absent".
fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(d: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}
