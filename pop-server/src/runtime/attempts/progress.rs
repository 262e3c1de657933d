//! A program's progress: a number, or `{"percent": …, "message": …}`.

use serde_json::Value;

/// One report of progress.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Progress {
    /// From 0 to 100.
    pub(crate) percent: f64,
    /// The program's message.
    pub(crate) message: Option<String>,
}

impl Progress {
    /// Parses the progress of one line; none for an incomplete line or other text.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        match serde_json::from_str(line.trim()).ok()? {
            Value::Number(n) => Some(Self { percent: n.as_f64()?, message: None }),
            Value::Object(map) => {
                let percent = map.get("percent").or_else(|| map.get("percentComplete"))?.as_f64()?;
                Some(Self { percent, message: map.get("message").and_then(Value::as_str).map(str::to_owned) })
            }
            _ => None,
        }
    }
}

/// The last line that is not empty, because a program may write several lines.
pub(crate) fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| !line.trim().is_empty())
}
