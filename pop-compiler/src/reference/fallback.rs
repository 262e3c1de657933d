//! Defaults of references.

use serde_json::Value;

use super::{Token, follow};

/// Written form of a [`Fallback::Lacking`] with null, after the `?`.
const LACKING: &str = "=null";

/// Prefix of the JSON of a [`Fallback::Lacking`] with another value, after the `?`.
pub(super) const INSTEAD: &str = "?=";

/// Replacement for a reference that leads to nothing or to null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback<V = Value> {
    /// This value, for a part that an output lacks; written `?=null` for null, otherwise `??=JSON`. The value does not
    /// replace a missing output: a reader of a skipped operation's output is skipped, too.
    Lacking(V),
    /// This value, even without an output.
    Value(V),
}

impl<V> Fallback<V> {
    /// The replacing value.
    pub fn value(self) -> V {
        match self {
            Self::Lacking(value) | Self::Value(value) => value,
        }
    }
}

impl Fallback {
    /// Whether the value is null.
    fn is_null(&self) -> bool {
        matches!(self, Self::Lacking(Value::Null) | Self::Value(Value::Null))
    }

    /// Replacement for a place inside this replacement; none if the value has no such place.
    pub(super) fn at(self, path: &[String]) -> Option<Self> {
        match self {
            own if path.is_empty() => Some(own),
            Self::Lacking(value) => follow(&value, path).cloned().map(Self::Lacking),
            Self::Value(value) => follow(&value, path).cloned().map(Self::Value),
        }
    }

    /// This replacement; where it is null, `outer`, the default of the reference around it.
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
    /// The default of the token; none without `?`.
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

    /// Whether the token has a replacement even for a missing output.
    pub fn copes(&self) -> bool {
        match self.default {
            None | Some(LACKING) => false,
            Some(text) if text.starts_with(INSTEAD) => !matches!(self.fallback(), Some(Fallback::Lacking(_))),
            Some(_) => true,
        }
    }
}
