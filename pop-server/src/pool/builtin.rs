//! Operation types that run inside the executor: `pop.sleep`, `pop.log`, `pop.transform`, `pop.fanOut`, and the
//! original POP's `sample`, `updateAgenda`, `logMessages` and `residentSample`.

mod generators;
mod sample;
mod sleep;

use std::time::Duration;

use pop_compiler::generator;
use pop_sdk::api::{Failure, FailureClass};
use serde_json::{Map, Value};

use crate::run::fail;
use crate::runtime::{Launch, Reporter, Signal, Stop};

/// The built-in operation types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// Waits, then returns its `output`.
    Sleep,
    /// Writes a message to the operation's log.
    Log,
    /// Returns its `value`.
    Transform,
    /// Generates operations for each item of a list.
    FanOut,
    /// The original POP's generator: returns the operations of its input.
    UpdateAgenda,
    /// The original POP's sample handler: runs a list of actions, then returns `resultPayload`.
    Sample,
    /// The original POP's logger: writes a list of messages to the operation's log.
    LogMessages,
    /// The original POP's resident sample: returns `resultPayload`.
    ResidentSample,
}

impl Builtin {
    /// The built-in type of a name.
    pub fn find(kind: &str) -> Option<Self> {
        match kind {
            "pop.sleep" => Some(Self::Sleep),
            "pop.log" => Some(Self::Log),
            "pop.transform" => Some(Self::Transform),
            generator::FAN_OUT_TYPE => Some(Self::FanOut),
            generator::UPDATE_TYPE => Some(Self::UpdateAgenda),
            "sample" => Some(Self::Sample),
            "logMessages" => Some(Self::LogMessages),
            "residentSample" => Some(Self::ResidentSample),
            _ => None,
        }
    }

    /// Runs one attempt; `scale` multiplies every sleep. `programs` says whether operations may run programs in this
    /// process's place.
    pub fn launch(self, launch: Launch, scale: f64, programs: bool, reporter: Reporter, stop: Stop) {
        reporter.send(Signal::Started);
        match self {
            Self::LogMessages => reporter.send(Signal::Exited(log_messages(&launch.payload, &reporter))),
            Self::ResidentSample => reporter.send(Signal::Exited(resident_sample(launch.payload))),
            Self::Log => reporter.send(Signal::Exited(log(&launch.payload, &reporter))),
            Self::Transform => reporter.send(Signal::Exited(transform(launch.payload))),
            Self::UpdateAgenda => reporter.send(Signal::Exited(generators::update(launch.payload))),
            Self::FanOut => {
                // The time grows with the list, so another thread does this work.
                tokio::task::spawn_blocking(move || {
                    let outcome = generators::fan_out(launch.payload, launch.fan_out.as_deref());
                    reporter.send(Signal::Exited(outcome));
                });
            }
            Self::Sleep => {
                tokio::spawn(async move {
                    let outcome = sleep::run(launch.payload, scale, &reporter, &stop).await;
                    reporter.send(Signal::Exited(outcome));
                });
            }
            Self::Sample => {
                tokio::spawn(async move {
                    let outcome = sample::run(launch.payload, scale, programs, &reporter, &stop).await;
                    reporter.send(Signal::Exited(outcome));
                });
            }
        }
    }
}

fn log(payload: &Value, reporter: &Reporter) -> Result<Value, Failure> {
    let message = match payload {
        Value::Object(map) => {
            map.get("message").ok_or_else(|| bad_input("pop.log", "missing `message` in the input"))?
        }
        _ => return Err(bad_input("pop.log", "invalid input: expected an object with `message`")),
    };
    let text = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    reporter.send(Signal::Log { stream: "stdout", offset: 0, text: text + "\n" });
    Ok(Value::Object(Map::new()))
}

fn log_messages(payload: &Value, reporter: &Reporter) -> Result<Value, Failure> {
    let Some(Value::Array(messages)) = payload.get("logMessages") else {
        return Err(bad_input("logMessages", "invalid input: expected an object with a list `logMessages`"));
    };
    let mut text = String::new();
    for message in messages {
        text += message.as_str().unwrap_or(&message.to_string());
        text.push('\n');
    }
    reporter.send(Signal::Log { stream: "stdout", offset: 0, text });
    Ok(Value::Object(Map::new()))
}

fn resident_sample(payload: Value) -> Result<Value, Failure> {
    match payload {
        Value::Object(mut map) => {
            Ok(map.remove("resultPayload").unwrap_or_else(|| Value::Object(Map::new())))
        }
        _ => Err(bad_input("residentSample", "invalid input: expected an object with `resultPayload`")),
    }
}

fn transform(payload: Value) -> Result<Value, Failure> {
    match payload {
        Value::Object(mut map) => {
            map.remove("value").ok_or_else(|| bad_input("pop.transform", "missing `value` in the input"))
        }
        _ => Err(bad_input("pop.transform", "invalid input: expected an object with `value`")),
    }
}

fn bad_input(kind: &str, message: &str) -> Failure {
    fail(FailureClass::User, "InputInvalid", format!("{kind}: {message}"))
}

/// Waits, and reports the progress between `from` and `to` percent. False if the attempt was stopped.
async fn wait(length: Duration, (from, to): (f64, f64), reporter: &Reporter, stop: &Stop) -> bool {
    let start = tokio::time::Instant::now();
    let end = start + length;
    let step = (length / 20).max(Duration::from_secs(1));
    loop {
        let next = (tokio::time::Instant::now() + step).min(end);
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = stop.asked() => return false,
        }
        if next == end {
            return true;
        }
        let part = start.elapsed().as_secs_f64() / length.as_secs_f64();
        reporter.send(Signal::Progress { percent: from + (to - from) * part, message: None });
    }
}

fn stopped() -> Failure {
    fail(FailureClass::User, "Stopped", "the operation was stopped")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::mpsc;

    use super::*;
    use crate::run::Resources;
    use crate::runtime::AttemptKey;

    /// The log and the outcome of a built-in operation.
    async fn run(kind: &str, payload: Value, programs: bool) -> (String, Result<Value, Failure>) {
        let key = AttemptKey { run: 0, op: 0, attempt: 1 };
        let launch = Launch {
            key,
            agenda: "ag_1".into(),
            epoch: 1,
            customer: None,
            cid: None,
            operation: "op".into(),
            operation_id: None,
            kind: kind.into(),
            spec: None,
            fan_out: None,
            resources: Resources::default(),
            payload,
        };
        let (out, mut signals) = mpsc::unbounded_channel();
        let builtin = Builtin::find(kind).unwrap();
        builtin.launch(launch, 1.0, programs, Reporter::new(key, out), Stop::default());
        let mut log = String::new();
        while let Some((_, signal)) = signals.recv().await {
            match signal {
                Signal::Log { text, .. } => log += &text,
                Signal::Exited(outcome) => return (log, outcome),
                _ => {}
            }
        }
        unreachable!("every attempt exits")
    }

    #[tokio::test]
    async fn resident_types_of_the_original_succeed() {
        let (log, outcome) = run("logMessages", json!({"logMessages": ["a", 1, "b"]}), false).await;
        assert_eq!((log.as_str(), outcome), ("a\n1\nb\n", Ok(json!({}))));
        let (_, outcome) = run("residentSample", json!({"resultPayload": {"x": [1]}}), false).await;
        assert_eq!(outcome, Ok(json!({"x": [1]})));
        assert_eq!(run("logMessages", json!({}), false).await.1.unwrap_err().code, "InputInvalid");
    }

    #[tokio::test]
    async fn an_agent_of_pods_runs_no_programs_beside_its_credentials() {
        let payload = json!({"actions": [{"action": "externalExecute", "paramsMap": {"externalArgs": ["echo", "here"]}}]});
        let (log, outcome) = run("sample", payload.clone(), true).await;
        assert!(outcome.is_ok() && log.contains("here"), "{log}");
        let (log, outcome) = run("sample", payload, false).await;
        assert_eq!((log.as_str(), outcome.unwrap_err().class), ("", FailureClass::Policy));
    }
}
