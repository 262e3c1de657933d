//! The built-in operation types, which every pool knows.

use super::OperationType;
use crate::types::Type;

/// Their names.
pub(super) const NAMES: [&str; 6] =
    ["pop.sleep", "pop.log", "pop.transform", "sample", "logMessages", "residentSample"];

/// Their declarations.
pub(super) fn operation_types() -> [OperationType; 6] {
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
        OperationType {
            description: Some("POP's logger: writes `logMessages` to the log, one line each.".into()),
            input: Type::record([("logMessages", Type::Any.list())]),
            output: Type::record([]),
            ..OperationType::new("logMessages")
        },
        OperationType {
            description: Some("POP's resident sample: outputs `resultPayload`.".into()),
            input: Type::record([("resultPayload", any())]),
            passes: Some("resultPayload"),
            ..OperationType::new("residentSample")
        },
    ]
}
