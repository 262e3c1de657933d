//! `pop.sleep`: `{duration | seconds, output?}`.

use std::time::Duration;

use pop_sdk::api::Failure;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{bad_input, stopped, wait};
use crate::runtime::Reporter;

pub(super) async fn run(
    payload: Value,
    scale: f64,
    reporter: &Reporter,
    stop: &CancellationToken,
) -> Result<Value, Failure> {
    let Value::Object(mut input) = payload else {
        return Err(bad_input("pop.sleep", "its input is an object with `seconds` or `duration`"));
    };
    let length = length(&input)?;
    let scaled = Duration::try_from_secs_f64(length.as_secs_f64() * scale)
        .map_err(|_| bad_input("pop.sleep", "the time scale makes this sleep too long"))?;
    if !wait(scaled, (0.0, 100.0), reporter, stop).await {
        return Err(stopped());
    }
    Ok(input.remove("output").unwrap_or_else(|| Value::Object(Map::new())))
}

fn length(input: &Map<String, Value>) -> Result<Duration, Failure> {
    match (input.get("seconds"), input.get("duration")) {
        (Some(Value::Number(n)), None | Some(Value::Null)) => {
            n.as_f64().and_then(|s| Duration::try_from_secs_f64(s).ok()).ok_or_else(|| {
                bad_input("pop.sleep", &format!("`seconds` is {n}, which is not a length of time"))
            })
        }
        (None | Some(Value::Null), Some(Value::String(text))) => pop_compiler::duration::parse(text)
            .map_err(|e| bad_input("pop.sleep", &format!("`duration`: {e}"))),
        (None, None) => {
            Err(bad_input("pop.sleep", "it needs `seconds` (a number) or `duration` (such as \"10s\")"))
        }
        _ => Err(bad_input(
            "pop.sleep",
            "`seconds` is a number, `duration` a text such as \"10s\"; give one of them",
        )),
    }
}
