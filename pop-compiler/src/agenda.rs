//! The Agenda data model: the compiler emits agendas, and the server runs them. The format is POP's, so existing
//! agendas keep working. Additions live in `params` under the names in [`keys`].

mod dependencies;
mod kubernetes;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use dependencies::{Dependency, EdgeKind, Mention, dependencies, mentions};
use kubernetes::is_false;
pub use kubernetes::{
    EmptyDir, ImagePullPolicy, KubernetesSpec, Medium, SecretKey, SecretKeyError, TaintEffect, Toleration,
    TolerationOperator, Volume,
};

/// Free-form parameters of an agenda, a template or an operation.
pub type Params = Map<String, Value>;

/// Names of the `params` entries with a meaning.
pub mod keys {
    /// Operation: names of operations that must end first, comma-separated (or an array of names).
    pub const DEPENDS_ON: &str = "dependsOn";
    /// Operation: marks a generator; `{operationsJsonPointer, names?, logOnly?}`. See [`crate::generator`].
    pub const GENERATOR: &str = "agenda.operation.generator";
    /// Operation: name of the generator that added the operation.
    pub const GENERATED_BY: &str = "generatedOperationParent";
    /// Operation of the type `pop.fanOut`: `{name, operations}`, the operations of each item.
    pub const FAN_OUT: &str = "pop.fanOut";
    /// Operation: `{attempts, backoff?, on?}`.
    pub const RETRY: &str = "pop.retry";
    /// Operation: longest duration of one attempt, such as `2h`.
    pub const TIMEOUT: &str = "pop.timeout";
    /// Operation: a boolean or a reference to one; `false` skips the operation.
    pub const WHEN: &str = "pop.when";
    /// Operation: `{cpu?, memory?}` in Kubernetes quantities.
    pub const RESOURCES: &str = "pop.resources";
    /// Operation of a template: the list (or a reference to a list) over which the operation fans out.
    pub const EACH: &str = "pop.each";
    /// Operation: description for people.
    pub const DESCRIPTION: &str = "pop.description";
    /// Agenda: `{name, version?, description?, digest}` of its workflow.
    pub const WORKFLOW: &str = "pop.workflow";
    /// Agenda: run settings and output of each operation type: type → [`super::RunSpec`].
    pub const TYPES: &str = "pop.types";
    /// Agenda: the workflow's outputs: name → value with references.
    pub const RESULT: &str = "pop.result";
    /// Agenda: `continue` (default) or `stop`.
    pub const ON_FAILURE: &str = "pop.onFailure";
    /// Agenda: number of leases that may be lost in a row before the agenda fails (POP's key; default 20).
    pub const MAXIMUM_ATTEMPTS: &str = "maximumAttempts";
    /// Agenda: title or id of the preferred insight among the matching ones.
    pub const DEFAULT_INSIGHT: &str = "defaultInsight";
    /// Agenda: with this entry, whatever its value, the server stores the agenda without queueing it.
    pub const DO_NOT_RUN: &str = "doNotRun";
    /// Template: JSON Schema (2020-12) of the inputs; defaults inside.
    pub const INPUTS: &str = "pop.inputs";
    /// Template: JSON Schema (2020-12) of the outputs.
    pub const OUTPUTS: &str = "pop.outputs";
}

/// Environment variables that POP sets for a program. An operation type cannot set them.
pub const OWN_VARIABLES: &[&str] = &[
    "AGENDA_ID",
    "CID",
    "CUSTOMER_ID",
    "LAST_PROGRESS",
    "OPERATION_ID",
    "OPERATION_NAME",
    "OPERATION_TYPE",
    "PAYLOAD",
    "POP_ATTEMPT",
    "POP_FAILURE_FILE",
    "POP_LAST_PROGRESS_FILE",
    "POP_OUTPUT_FILE",
    "POP_PAYLOAD_FILE",
    "POP_POOL_START",
    "POP_PROGRESS_FILE",
    "POP_REPORT_URL",
    "POP_TOKEN",
];

/// A DAG of operations whose payloads refer to each other's outputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Agenda {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Correlation id for logs and traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// A label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The customer that owns the agenda.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// A client's grouping key, shared by any number of agendas.
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

/// A list of operations with copy-on-write: copies share the operations until one copy changes. A template of a million
/// operations without references costs nothing to expand. The list derefs to a `Vec`.
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
    /// Identity inside the agenda, unique in any letter case. The output is `<name>.out`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The operation type, such as `media.encode`.
    #[serde(rename = "type", deserialize_with = "null_as_default")]
    pub kind: String,
    /// Informational; the handler gets the id as `OPERATION_ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The handler's input, with references.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    /// Parameters; see [`keys`].
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Map::is_empty")]
    pub params: Params,
}

/// A skeleton agenda: a submission replaces its references to inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AgendaTemplate {
    /// Set by the server, or by the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A label, copied to an agenda without a label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The customer that owns the template.
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

/// How an operation type runs, and the type of its output. Every field is optional. A pool must know a type without
/// `command` and `image`, as a built-in or from its own catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RunSpec {
    /// Program and arguments of a local process; no shell runs. `${with.NAME}` stands for an input, and `${with.NAME?}`
    /// for one that may be absent. An absent input is an empty text. An argument that is only such a reference is left
    /// out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Text for standard input, with `${with.NAME}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// Meaning of standard output.
    #[serde(skip_serializing_if = "Stdout::is_log")]
    pub stdout: Stdout,
    /// Container image for Kubernetes. With `command`, the command runs in the image; without, the image's own entry
    /// point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Arguments of the image's own entry point.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment variables set for the program, with `${with.NAME}`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub env: Params,
    /// Environment variables with a value from a secret of the namespace: name → `secret/key`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_env: BTreeMap<String, SecretKey>,
    /// Settings of the pods on Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Box<KubernetesSpec>>,
    /// Whether an operation may run twice at the same time without harm. POP may then start a new attempt while the end
    /// of the old one is unknown, as on a silent node.
    #[serde(skip_serializing_if = "is_false")]
    pub idempotent: bool,
    /// Places of secret values in an input: JSON pointers, with `*` for each item of a list or map.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// JSON Schema (2020-12) of the output. An operation with another output fails; without a schema, any output
    /// passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

impl RunSpec {
    /// Whether the type says how to run a program, beyond its input and output.
    pub fn runs(&self) -> bool {
        !self.command.is_empty() || self.image.is_some()
    }
}

/// Meaning of a program's standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stdout {
    /// Log lines only.
    #[default]
    Log,
    /// The output itself, as JSON.
    Json,
    /// One field of the output: the only declared one, or else `text`.
    Text,
    /// One field of the output, a list of the printed lines: the only declared one, or else `lines`.
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
