//! Retry policies: `{ attempts = 3, backoff = "10s..5m", on = ["error", "timeout"] }`.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::agenda::{Params, keys};
use crate::duration;

/// Valid items of `on`.
pub const CAUSES: [&str; 4] = ["error", "timeout", "evicted", "config"];

/// The largest valid number of attempts.
pub const MOST_ATTEMPTS: u32 = 1000;

/// When an operation is retried, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Number of attempts in all; 1 means no retry.
    pub attempts: u32,
    /// The first and the longest delay; each delay is twice the one before.
    pub backoff: (Duration, Duration),
    /// Causes of a retry, from [`CAUSES`].
    pub on: Vec<String>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 1,
            backoff: (Duration::from_secs(1), Duration::from_mins(1)),
            on: ["error", "timeout", "evicted"].map(String::from).to_vec(),
        }
    }
}

/// The fault of a retry setting, and the JSON pointer to it inside the setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryError {
    /// Broken rule of the workflow language.
    pub rule: &'static str,
    /// Place inside the setting.
    pub pointer: String,
    /// The fault, for people.
    pub message: String,
}

impl fmt::Display for RetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RetryError {}

impl RetryPolicy {
    /// The policy in an operation's parameters, if there is one.
    ///
    /// # Errors
    /// The first fault of the policy.
    pub fn from_params(params: &Params) -> Result<Option<Self>, RetryError> {
        params.get(keys::RETRY).filter(|v| !v.is_null()).map(Self::from_value).transpose()
    }

    /// Reads `{attempts, backoff?, on?}`, or a number of attempts.
    ///
    /// # Errors
    /// The first fault of the policy.
    pub fn from_value(value: &Value) -> Result<Self, RetryError> {
        let because =
            |rule, pointer: &str, message| RetryError { rule, pointer: pointer.to_owned(), message };
        let wrong = |pointer: &str, message: String| because("wrong-shape", pointer, message);
        let attempts = |v: &Value, pointer: &str| {
            v.as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .filter(|n| (1..=MOST_ATTEMPTS).contains(n))
                .ok_or_else(|| {
                    wrong(pointer, format!("invalid number of attempts {v}: use 1 to {MOST_ATTEMPTS}"))
                })
        };
        let Value::Object(map) = value else {
            return Ok(Self { attempts: attempts(value, "")?, ..Self::default() });
        };
        let mut policy = Self::default();
        for (key, value) in map {
            match key.as_str() {
                "attempts" => policy.attempts = attempts(value, "/attempts")?,
                "backoff" => {
                    let text = value.as_str().ok_or_else(|| {
                        wrong(
                            "/backoff",
                            format!("invalid range of durations {value}: use a text such as \"10s..5m\""),
                        )
                    })?;
                    policy.backoff = duration::parse_range(text)
                        .map_err(|e| because("bad-duration", "/backoff", e.to_string()))?;
                }
                "on" => {
                    let known = |v: &Value| v.as_str().filter(|s| CAUSES.contains(s)).map(str::to_owned);
                    policy.on = value
                        .as_array()
                        .and_then(|list| list.iter().map(known).collect::<Option<Vec<_>>>())
                        .ok_or_else(|| {
                            wrong("/on", format!("invalid list of causes {value}: use {}", CAUSES.join(", ")))
                        })?;
                }
                other => {
                    let message = format!("unknown setting `{other}`: use attempts, backoff or on");
                    let key = other.replace('~', "~0").replace('/', "~1");
                    return Err(because("unknown-key", &format!("/{key}"), message));
                }
            }
        }
        Ok(policy)
    }

    /// Whether a failure of this cause is retried.
    pub fn covers(&self, cause: &str) -> bool {
        self.on.iter().any(|c| c == cause)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_read_and_faults_are_placed() {
        let policy =
            RetryPolicy::from_value(&json!({"attempts": 3, "backoff": "10s..5m", "on": ["timeout"]}))
                .unwrap();
        assert_eq!(policy.attempts, 3);
        assert_eq!(policy.backoff, (Duration::from_secs(10), Duration::from_mins(5)));
        assert!(policy.covers("timeout") && !policy.covers("error"));
        assert_eq!(RetryPolicy::from_value(&json!(5)).unwrap().attempts, 5);
        for (value, rule, pointer) in [
            (json!(0), "wrong-shape", ""),
            (json!({"attempts": "x"}), "wrong-shape", "/attempts"),
            (json!({"attempts": 1001}), "wrong-shape", "/attempts"),
            (json!({"backoff": 3}), "wrong-shape", "/backoff"),
            (json!({"backoff": "soon"}), "bad-duration", "/backoff"),
            (json!({"on": ["eror"]}), "wrong-shape", "/on"),
            (json!({"a/b": 3}), "unknown-key", "/a~1b"),
        ] {
            let error = RetryPolicy::from_value(&value).unwrap_err();
            assert_eq!((error.rule, error.pointer.as_str()), (rule, pointer));
        }
    }
}
