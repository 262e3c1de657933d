//! `pop.sleep`: `{duration | seconds, output?}`.

use std::time::Duration;

use pop_sdk::api::Failure;
use serde_json::{Map, Number, Value};

use super::{bad_input, stopped, wait};
use crate::runtime::{Reporter, Stop};

pub(super) async fn run(
    payload: Value,
    scale: f64,
    reporter: &Reporter,
    stop: &Stop,
) -> Result<Value, Failure> {
    let mut input = match payload {
        Value::Object(input) => input,
        Value::Null => Map::new(),
        _ => {
            return Err(bad_input(
                "pop.sleep",
                "invalid input: expected an object with `seconds` or `duration`",
            ));
        }
    };
    let length = length(&input)?;
    let scaled = Duration::try_from_secs_f64(length.as_secs_f64() * scale)
        .map_err(|_| bad_input("pop.sleep", "invalid length: too long after the time scale"))?;
    if !wait(scaled, (0.0, 100.0), reporter, stop).await {
        return Err(stopped());
    }
    Ok(input.remove("output").unwrap_or_else(|| Value::Object(Map::new())))
}

fn length(input: &Map<String, Value>) -> Result<Duration, Failure> {
    match (input.get("seconds"), input.get("duration")) {
        (Some(Value::Number(n)), None | Some(Value::Null)) => seconds("seconds", n),
        (None | Some(Value::Null), Some(Value::Number(n))) => seconds("duration", n),
        (None | Some(Value::Null), Some(Value::String(text))) => pop_compiler::duration::parse(text)
            .map_err(|e| bad_input("pop.sleep", &format!("`duration`: {e}"))),
        // Without a duration the operation only joins others, or passes a value on.
        (None | Some(Value::Null), None | Some(Value::Null)) => Ok(Duration::ZERO),
        _ => Err(bad_input(
            "pop.sleep",
            "invalid length: set either `seconds` to a number, or `duration` to a number of seconds or a \
                text such as \"10s\"",
        )),
    }
}

fn seconds(name: &str, number: &Number) -> Result<Duration, Failure> {
    let length = number.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    length.ok_or_else(|| {
        bad_input("pop.sleep", &format!("invalid `{name}` {number}: use a number of seconds, 0 or more"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lengths_as_the_language_takes_them() {
        let of = |input: Value| length(input.as_object().unwrap()).map(|length| length.as_millis()).ok();
        assert_eq!(of(json!({})), Some(0));
        assert_eq!(of(json!({"seconds": null, "duration": null, "output": 1})), Some(0));
        assert_eq!(of(json!({"seconds": 1.5})), Some(1500));
        assert_eq!(of(json!({"duration": 2, "seconds": null})), Some(2000));
        assert_eq!(of(json!({"duration": "1m"})), Some(60_000));
        for wrong in
            [json!({"seconds": -1}), json!({"seconds": 1, "duration": "1s"}), json!({"duration": true})]
        {
            assert_eq!(of(wrong), None);
        }
    }
}
