//! The built-in generators. Their outputs are operations, which the run adds to its agenda.

use pop_compiler::generator::{FAN_OUT_TYPE, FanOut, UPDATE_TYPE};
use pop_sdk::api::{Failure, FailureClass};
use serde_json::{Map, Value, json};

use super::bad_input;
use crate::run::fail;

/// One or several operations for each of the `items`.
pub(super) fn fan_out(payload: Value, fan_out: Option<&FanOut>) -> Result<Value, Failure> {
    let Some(fan_out) = fan_out else {
        let message = format!("{FAN_OUT_TYPE}: missing parameter `pop.fanOut` with the operations to make");
        return Err(fail(FailureClass::User, "InputInvalid", message));
    };
    let items = match payload {
        Value::Object(mut map) => map.remove("items"),
        _ => None,
    };
    let items = items
        .ok_or_else(|| bad_input(FAN_OUT_TYPE, "invalid input: expected an object with a list `items`"))?;
    let operations = fan_out.make(&items).map_err(|why| fail(FailureClass::User, "FanOutInvalid", why))?;
    Ok(json!({ "operations": operations }))
}

/// The output of `updateAgenda`: the operations and parameters of its input.
pub(super) fn update(payload: Value) -> Result<Value, Failure> {
    let Value::Object(mut map) = payload else {
        return Err(bad_input(UPDATE_TYPE, "invalid input: expected an object with a list `operations`"));
    };
    let operations = map
        .remove("operations")
        .ok_or_else(|| bad_input(UPDATE_TYPE, "missing `operations` in the input"))?;
    let params = map.remove("params").unwrap_or_else(|| Value::Object(Map::new()));
    Ok(json!({ "operations": operations, "params": params }))
}
