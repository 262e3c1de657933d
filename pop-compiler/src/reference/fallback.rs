//! What stands in for what a reference does not find.

use serde_json::Value;

use super::{Token, follow};

/// How [`Fallback::Lacking`] is written behind the `?`.
const LACKING: &str = "=null";

/// What stands in when nothing, or null, is at the place that a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback<V = Value> {
    /// Null, for what an output need not have; written `?=null`. It does not stand in for the output as a whole: who reads
    /// an output that is not there, as its operation was skipped, is skipped as well.
    Lacking,
    /// This value, also when there is no output.
    Value(V),
}

impl Fallback {
    /// The value that stands in.
    pub fn value(self) -> Value {
        match self {
            Self::Lacking => Value::Null,
            Self::Value(value) => value,
        }
    }

    /// What stands in for a place inside what this one stands in for; nothing when it has no such place.
    pub(super) fn at(self, path: &[String]) -> Option<Self> {
        match self {
            own if path.is_empty() => Some(own),
            Self::Lacking => None,
            Self::Value(value) => follow(&value, path).cloned().map(Self::Value),
        }
    }

    /// This one, and where it gives null, `outer`: that of a reference to the reference that this one belongs to.
    pub(super) fn or_outer(self, outer: Option<Self>) -> Self {
        match (self, outer) {
            (Self::Lacking | Self::Value(Value::Null), Some(outer @ Self::Value(_))) => outer,
            (own, _) => own,
        }
    }
}

impl Token<'_> {
    /// What stands in when nothing is there; none when there is no `?`.
    pub fn fallback(&self) -> Option<Fallback> {
        let text = self.default?;
        Some(match text {
            LACKING => Fallback::Lacking,
            "" => Fallback::Value(Value::Null),
            text => {
                let typed = text.strip_prefix('=').and_then(|json| serde_json::from_str(json).ok());
                Fallback::Value(typed.unwrap_or_else(|| Value::from(text)))
            }
        })
    }

    /// The default as a value.
    pub fn default_value(&self) -> Option<Value> {
        self.fallback().map(Fallback::value)
    }

    /// Whether something stands in even for an output that isn't there.
    pub fn copes(&self) -> bool {
        self.default.is_some_and(|default| default != LACKING)
    }
}
