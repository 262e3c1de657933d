//! What `#[operation]` says about a type.

use pop_compiler::agenda::RunSpec;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An operation type, as the struct of its input. Made by [`operation`](crate::operation).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operation",
    label = "not an operation",
    note = "put `#[pop_sdk::operation(\"name\", output = Type)]` on the struct"
)]
pub trait Operation: JsonSchema {
    /// The operation type's name, such as `media.probe`.
    const TYPE: &'static str;
    /// Each field's name in Rust and in JSON.
    const FIELDS: &'static [(&'static str, &'static str)];
    /// The fields that must be given, and what to say when one is not.
    const REQUIRED: &'static [(&'static str, &'static str)] = &[];
    /// What it gives.
    type Output: JsonSchema;

    /// What a person wrote about it.
    fn description() -> Option<&'static str>;

    /// How it runs.
    fn run_spec() -> RunSpec;

    /// Reads every field, so that rustc does not call them unused: they are read by the program that gets them.
    #[doc(hidden)]
    fn read_fields(&self);
}

/// A struct whose fields' names in JSON are known. Made by [`record`](macro@crate::record).
pub trait Record {
    /// Each field's name in Rust and in JSON.
    const FIELDS: &'static [(&'static str, &'static str)];
}

/// What is known of one operation type at run time.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    name: &'static str,
    fields: &'static [(&'static str, &'static str)],
    description: Option<&'static str>,
    input: Value,
    output: Value,
    run: RunSpec,
}

impl Known {
    /// Everything that `O` says.
    #[must_use]
    pub fn of<O: Operation>() -> Self {
        Self {
            name: O::TYPE,
            fields: O::FIELDS,
            description: O::description(),
            input: closed(schemars::schema_for!(O).to_value()),
            output: closed(schemars::schema_for!(O::Output).to_value()),
            run: O::run_spec(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// A field's name in JSON.
    pub(crate) fn json_name<'n>(&self, field: &'n str) -> &'n str
    where
        Self: 'n,
    {
        self.fields.iter().find(|(rust, _)| *rust == field).map_or(field, |(_, json)| json)
    }

    pub(crate) fn input(&self) -> &Value {
        &self.input
    }

    pub(crate) fn output(&self) -> &Value {
        &self.output
    }

    #[cfg(feature = "handler")]
    pub(crate) fn description(&self) -> Option<&'static str> {
        self.description
    }

    #[cfg(feature = "handler")]
    pub(crate) fn run(&self) -> &RunSpec {
        &self.run
    }

    pub(crate) fn operation_type(&self) -> pop_compiler::catalog::OperationType {
        let mut made = pop_compiler::catalog::OperationType::from_schemas(
            self.name,
            &self.input,
            &self.output,
            self.run.clone(),
        );
        made.description = self.description.map(str::to_owned);
        made
    }
}

/// A setting that `#[operation]` checked and wrote as JSON.
pub fn setting<T: DeserializeOwned + Default>(json: &str) -> T {
    serde_json::from_str(json).unwrap_or_default()
}

/// A schema that says of a struct without fields that it has none; schemars leaves it open, as if it were a map of anything.
fn closed(mut schema: Value) -> Value {
    if let Value::Object(map) = &mut schema
        && map.get("type").and_then(Value::as_str) == Some("object")
        && !["properties", "additionalProperties", "allOf", "anyOf", "oneOf", "patternProperties"]
            .iter()
            .any(|key| map.contains_key(*key))
    {
        map.insert("additionalProperties".into(), Value::Bool(false));
    }
    schema
}
