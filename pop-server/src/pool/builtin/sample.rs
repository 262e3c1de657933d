//! The original POP's sample handler: `{actions: [{action, paramsMap: {sleepMilliseconds, logMessage, exceptionMessage,
//! externalArgs}}], resultPayload}`.

use std::process::Stdio;
use std::time::Duration;

use pop_sdk::api::{Failure, FailureClass};
use serde_json::{Map, Value};

use super::{bad_input, stopped, wait};
use crate::run::fail;
use crate::runtime::{Reporter, Signal, Stop};

/// Bytes of an external program's output that go to the log.
const LOG_LIMIT: usize = 64 * 1024;

pub(super) async fn run(
    payload: Value,
    scale: f64,
    programs: bool,
    reporter: &Reporter,
    stop: &Stop,
) -> Result<Value, Failure> {
    let Value::Object(mut input) = payload else {
        return Err(bad_input(
            "sample",
            "invalid input: expected an object with `actions` and `resultPayload`",
        ));
    };
    let actions = match input.remove("actions") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(actions)) => actions,
        Some(_) => return Err(bad_input("sample", "invalid `actions`: expected a list")),
    };
    let mut log = Log { reporter, offset: 0 };
    let share = 100.0 / actions.len().max(1) as f64;
    for (i, action) in actions.iter().enumerate() {
        let from = share * i as f64;
        if !programs && action.get("action").and_then(Value::as_str) == Some("externalExecute") {
            let message = "action `externalExecute` is not allowed: this pool runs pods, and no programs beside its agent. Use an operation type with an image.";
            return Err(fail(FailureClass::Policy, "Forbidden", message));
        }
        perform(action, scale, (from, from + share), &mut log, stop).await?;
        if stop.is_asked() {
            return Err(stopped());
        }
    }
    Ok(input.remove("resultPayload").unwrap_or_else(|| Value::Object(Map::new())))
}

async fn perform(
    action: &Value,
    scale: f64,
    percents: (f64, f64),
    log: &mut Log<'_>,
    stop: &Stop,
) -> Result<(), Failure> {
    let param = |key: &str| action.get("paramsMap").and_then(|p| p.get(key)).filter(|v| !v.is_null());
    if let Some(sleep) = param("sleepMilliseconds") {
        let length = sleep
            .as_f64()
            .and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0 * scale).ok())
            .ok_or_else(|| {
                bad_input(
                    "sample",
                    &format!("invalid `sleepMilliseconds` {sleep}: use a number of milliseconds, 0 or more"),
                )
            })?;
        if !wait(length, percents, log.reporter, stop).await {
            return Err(stopped());
        }
    }
    match action.get("action").and_then(Value::as_str) {
        Some("log") => {
            let message = param("logMessage").cloned().unwrap_or_default();
            log.line(message.as_str().unwrap_or(&message.to_string()));
            Ok(())
        }
        Some("exception") => {
            let message = param("exceptionMessage").and_then(Value::as_str).unwrap_or("exception requested");
            Err(fail(FailureClass::User, "Exception", message))
        }
        Some("externalExecute") => {
            let arguments: Vec<&str> = param("externalArgs")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            external(&arguments, log, stop).await;
            Ok(())
        }
        Some(other) => Err(bad_input(
            "sample",
            &format!("unknown action `{other}`; use log, exception or externalExecute"),
        )),
        None => Err(bad_input("sample", "missing `action`; use log, exception or externalExecute")),
    }
}

/// Runs a program. As in the original POP, every end of the program only goes to the log.
async fn external(arguments: &[&str], log: &mut Log<'_>, stop: &Stop) {
    let Some((program, rest)) = arguments.split_first() else {
        log.line("externalExecute: no externalArgs, nothing to run");
        return;
    };
    let mut command = tokio::process::Command::new(program);
    command.args(rest).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let done = async {
        match command.output().await {
            Err(e) => format!("externalExecute: could not start {program}: {e}"),
            Ok(out) => {
                let cut = &out.stdout[..out.stdout.len().min(LOG_LIMIT)];
                format!("{}externalExecute: {program} ended: {}", String::from_utf8_lossy(cut), out.status)
            }
        }
    };
    tokio::select! {
        text = done => log.line(&text),
        () = stop.asked() => {}
    }
}

struct Log<'a> {
    reporter: &'a Reporter,
    offset: u64,
}

impl Log<'_> {
    fn line(&mut self, text: &str) {
        let text = format!("{text}\n");
        let offset = self.offset;
        self.offset += text.len() as u64;
        self.reporter.send(Signal::Log { stream: "stdout", offset, text });
    }
}
