//! Checks a template's inputs against the JSON Schema that travels with it, and fills in defaults.

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Location};
use crate::values::{self, Fault, Kind};

/// The inputs with defaults filled in, in the place of null, too; an optional input that is absent becomes null.
pub(super) fn check(schema: &Value, inputs: &Value) -> Result<Value, Vec<Diagnostic>> {
    let mut inputs = match inputs {
        Value::Null => Value::Object(Map::new()),
        other => other.clone(),
    };
    let faults = values::compare(schema, &mut inputs);
    if !faults.is_empty() {
        return Err(faults.into_iter().map(finding).collect());
    }
    if let (Some(properties), Value::Object(map)) =
        (schema.get("properties").and_then(Value::as_object), &mut inputs)
    {
        for name in properties.keys() {
            if !map.contains_key(name) {
                map.insert(name.clone(), Value::Null);
            }
        }
    }
    Ok(inputs)
}

/// The inputs of a workflow that takes none.
pub(super) fn none(inputs: &Value) -> Result<Value, Vec<Diagnostic>> {
    check(&serde_json::json!({ "type": "object", "additionalProperties": false }), inputs)
}

fn finding(fault: Fault<'_>) -> Diagnostic {
    let rule = match fault.kind {
        Kind::Missing(_) => "missing-input",
        Kind::Extra(_) => "extra-input",
        Kind::Wrong | Kind::Unchecked => "type-mismatch",
    };
    let finding = Diagnostic::error(rule, Location::Pointer(fault.at), fault.message);
    match fault.help {
        Some(help) => finding.help(help),
        None => finding,
    }
}
