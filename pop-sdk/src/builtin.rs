//! The operation types that every pool knows, for `workflow!` and the builder.
//!
//! What they give is a [`Value`]: `wait["title"]` is a part of it, and `json!(…)` makes one. All their fields may be left
//! out with `..`.
//!
//! ```
//! use pop_sdk::builtin::{Log, Sleep};
//! use pop_sdk::workflow;
//!
//! workflow! {
//!     pub pause(seconds: f64) -> serde_json::Value {
//!         let wait = Sleep { seconds: Some(seconds), output: json!({ "done": true }), .. };
//!         let _said = Log { message: json!("waited: {wait[\"done\"]}"), .. };
//!         wait["done"]
//!     }
//! }
//!
//! # fn main() {
//! assert_eq!(pause::compile().agenda(&pause::Inputs { seconds: 1.5 }).unwrap().operations.len(), 2);
//! # }
//! ```

use pop_compiler::agenda::RunSpec;
use pop_compiler::catalog::Catalog;
use schemars::JsonSchema;
use serde_json::Value;

use crate::operation::Operation;

/// Waits, then gives `output`.
#[derive(Clone, Debug, Default, JsonSchema)]
pub struct Sleep {
    /// Duration, such as `1h30m`.
    pub duration: Option<String>,
    /// Duration in seconds.
    pub seconds: Option<f64>,
    /// Output of the operation.
    pub output: Value,
    /// Any value; the operation waits for the operations that the value refers to.
    pub inputs: Value,
}

/// Writes a message to the log; gives nothing.
#[derive(Clone, Debug, Default, JsonSchema)]
pub struct Log {
    /// The message.
    pub message: Value,
    /// Level, such as `info`.
    pub level: Option<String>,
}

/// Gives `value`, with its references filled in.
#[derive(Clone, Debug, Default, JsonSchema)]
pub struct Transform {
    /// Output of the operation.
    pub value: Value,
}

/// POP's sample handler: performs `actions`, then gives `result_payload`.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Sample {
    /// Actions, in their order.
    pub actions: Option<Vec<Value>>,
    /// Output of the operation.
    pub result_payload: Value,
}

/// POP's logger: writes each message to the log as a line; gives nothing.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct LogMessages {
    /// The messages.
    pub log_messages: Vec<Value>,
}

/// POP's resident sample: gives `result_payload`.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct ResidentSample {
    /// Output of the operation.
    pub result_payload: Value,
}

macro_rules! operation {
    ($name:ident: $kind:literal, $($field:ident = $json:literal),*) => {
        impl Operation for $name {
            const TYPE: &'static str = $kind;
            const FIELDS: &'static [(&'static str, &'static str)] = &[$((stringify!($field), $json)),*];
            type Output = Value;

            fn description() -> Option<&'static str> {
                None
            }

            fn run_spec() -> RunSpec {
                RunSpec::default()
            }

            fn read_fields(&self) {}
        }
    };
}

operation! { Sleep: "pop.sleep", duration = "duration", seconds = "seconds", output = "output", inputs = "inputs" }
operation! { Log: "pop.log", message = "message", level = "level" }
operation! { Transform: "pop.transform", value = "value" }
operation! { Sample: "sample", actions = "actions", result_payload = "resultPayload" }
operation! { LogMessages: "logMessages", log_messages = "logMessages" }
operation! { ResidentSample: "residentSample", result_payload = "resultPayload" }

/// Whether the compiler has a declaration of its own of this type.
pub(crate) fn is_builtin(kind: &str) -> bool {
    Catalog::builtin().get(kind).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The compiler's declarations count; these must have the same fields.
    #[test]
    fn they_are_as_the_compiler_declares_them() {
        fn check<O: Operation>() {
            let declared =
                Catalog::builtin().get(O::TYPE).unwrap_or_else(|| panic!("no {}", O::TYPE)).input.clone();
            let mut fields: Vec<&str> = O::FIELDS.iter().map(|(_, json)| *json).collect();
            fields.sort_unstable();
            let pop_compiler::types::Type::Record(record) = declared else { panic!("{declared:?}") };
            assert_eq!(record.iter().map(|(name, _)| name).collect::<Vec<_>>(), fields);
        }
        check::<Sleep>();
        check::<Log>();
        check::<Transform>();
        check::<Sample>();
        check::<LogMessages>();
        check::<ResidentSample>();
        assert!(!is_builtin("media.probe"));
    }
}
