//! Checks of the `params` that say how an operation runs.

use serde_json::Value;

use crate::agenda::{Operation, keys};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::retry::RetryPolicy;
use crate::{duration, quantity};

pub(super) fn check(operation: &Operation, at: &str, findings: &mut Vec<Diagnostic>) {
    let mut add = |severity, rule, pointer: String, message: String| {
        findings.push(Diagnostic::new(
            rule,
            severity,
            Location::Pointer(format!("{at}/params/{pointer}")),
            message,
        ));
    };
    let param = |key: &str| operation.params.get(key).filter(|v| !v.is_null());
    match param(keys::TIMEOUT) {
        None => {}
        Some(Value::String(text)) if text.contains("@<") => {}
        Some(Value::String(text)) => {
            if let Err(e) = duration::parse(text) {
                add(Severity::Error, "bad-duration", keys::TIMEOUT.into(), e.to_string());
            }
        }
        Some(other) => {
            add(
                Severity::Error,
                "bad-duration",
                keys::TIMEOUT.into(),
                format!("{other} is not a duration such as \"2h\""),
            );
        }
    }
    if let Err(e) = RetryPolicy::from_params(&operation.params) {
        add(Severity::Error, "bad-retry", format!("{}{}", keys::RETRY, e.pointer), e.message);
    }
    let Some(resources) = param(keys::RESOURCES) else { return };
    let Some(map) = resources.as_object() else {
        add(
            Severity::Error,
            "bad-quantity",
            keys::RESOURCES.into(),
            format!("{resources} is not an object with `cpu` and `memory`"),
        );
        return;
    };
    for (key, value) in map.iter().filter(|(_, v)| !v.is_null()) {
        let pointer = format!("{}/{key}", keys::RESOURCES);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match key.as_str() {
            "cpu" => {
                if let Err(e) = quantity::millis(&text) {
                    add(Severity::Error, "bad-quantity", pointer, e.to_string());
                }
            }
            "memory" => match quantity::bytes(&text) {
                Err(e) => add(Severity::Error, "bad-quantity", pointer, e.to_string()),
                Ok(bytes) if bytes < 1024 => {
                    let number = text.trim_end_matches('m');
                    let message = format!(
                        "`{text}` of memory is {bytes} bytes: `m` means thousandths; did you mean `{number}Mi`?"
                    );
                    add(Severity::Warning, "tiny-memory", pointer, message);
                }
                Ok(_) => {}
            },
            other => add(
                Severity::Error,
                "unknown-key",
                pointer,
                format!("there is no resource `{other}`; there are cpu and memory"),
            ),
        }
    }
}
