//! The built-in operation types, which every pool knows.

use super::OperationType;
use crate::types::Type;

/// Their names.
pub(super) const NAMES: [&str; 4] = ["pop.sleep", "pop.log", "pop.transform", "sample"];

/// Their declarations.
pub(super) fn operation_types() -> [OperationType; 4] {
    let any = || Type::Any;
    [
        OperationType {
            description: Some(
                "Waits for `duration` or `seconds`, then outputs `output`. With neither, the operation \
                    does not wait."
                    .into(),
            ),
            input: Type::record([
                ("duration", Type::union([Type::Duration, Type::Float, Type::Null])),
                ("seconds", Type::Float.optional()),
                ("output", any()),
                ("inputs", any()),
            ]),
            passes: Some("output"),
            ..OperationType::new("pop.sleep")
        },
        OperationType {
            description: Some("Writes a message to the log.".into()),
            input: Type::record([("message", any()), ("level", Type::String.optional())]),
            output: Type::record([]),
            ..OperationType::new("pop.log")
        },
        OperationType {
            description: Some("Outputs `value`, with all references replaced.".into()),
            input: Type::record([("value", any())]),
            passes: Some("value"),
            ..OperationType::new("pop.transform")
        },
        OperationType {
            description: Some(
                "POP's sample handler: performs `actions`, then outputs `resultPayload`.".into(),
            ),
            input: Type::record([("actions", Type::Any.list().optional()), ("resultPayload", any())]),
            passes: Some("resultPayload"),
            ..OperationType::new("sample")
        },
    ]
}
