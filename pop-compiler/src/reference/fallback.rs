//! What stands in for what a reference does not find.

use serde_json::Value;

use super::{Token, follow};

/// How a [`Fallback::Lacking`] that is null is written behind the `?`.
const LACKING: &str = "=null";

/// What stands before the JSON of a [`Fallback::Lacking`] that is another value, behind the `?`.
pub(super) const INSTEAD: &str = "?=";

/// What stands in when nothing, or null, is at the place that a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback<V = Value> {
    /// This value, for what an output need not have; written `?=null` where it is null, otherwise `??=JSON`. It does not
    /// stand in for the output as a whole: who reads an output that is not there, as its operation was skipped, is skipped
    /// as well.
    Lacking(V),
    /// This value, also when there is no output.
    Value(V),
}

impl<V> Fallback<V> {
    /// The value that stands in.
    pub fn value(self) -> V {
        match self {
            Self::Lacking(value) | Self::Value(value) => value,
        }
    }
}

impl Fallback {
    /// Whether null stands in.
    fn is_null(&self) -> bool {
        matches!(self, Self::Lacking(Value::Null) | Self::Value(Value::Null))
    }

    /// What stands in for a place inside what this one stands in for; nothing when it has no such place.
    pub(super) fn at(self, path: &[String]) -> Option<Self> {
        match self {
            own if path.is_empty() => Some(own),
            Self::Lacking(value) => follow(&value, path).cloned().map(Self::Lacking),
            Self::Value(value) => follow(&value, path).cloned().map(Self::Value),
        }
    }

    /// This one, and where it gives null, `outer`: that of a reference to the reference that this one belongs to.
    pub(crate) fn or_outer(self, outer: Option<Self>) -> Self {
        match (self, outer) {
            (own, Some(outer @ Self::Value(_))) if own.is_null() => outer,
            // what stood in for a missing output stands in for it still
            (Self::Value(Value::Null), Some(Self::Lacking(value))) => Self::Value(value),
            (own, Some(outer)) if own.is_null() => outer,
            (own, _) => own,
        }
    }
}

impl Token<'_> {
    /// What stands in when nothing is there; none when there is no `?`.
    pub fn fallback(&self) -> Option<Fallback> {
        let text = self.default?;
        Some(match text {
            LACKING => Fallback::Lacking(Value::Null),
            "" => Fallback::Value(Value::Null),
            text => {
                let instead = text.strip_prefix(INSTEAD).and_then(|json| serde_json::from_str(json).ok());
                if let Some(value) = instead {
                    return Some(Fallback::Lacking(value));
                }
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
        match self.default {
            None | Some(LACKING) => false,
            Some(text) if text.starts_with(INSTEAD) => !matches!(self.fallback(), Some(Fallback::Lacking(_))),
            Some(_) => true,
        }
    }
}
