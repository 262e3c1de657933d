//! Prints a reference as a token.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::fallback::INSTEAD;
use super::{Fallback, Reference};

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = self.default.as_ref().map(|default| match default {
            Fallback::Lacking(value) => Fallback::Lacking(value),
            Fallback::Value(value) => Fallback::Value(value),
        });
        write(f, &self.name, self.path.iter().map(|key| Cow::Borrowed(key.as_str())), default)
    }
}

/// Writes a [`Reference`] of these parts.
pub(crate) fn write<'k>(
    out: &mut impl fmt::Write,
    name: &str,
    path: impl Iterator<Item = Cow<'k, str>>,
    default: Option<Fallback<&Value>>,
) -> fmt::Result {
    write!(out, "@<{name}")?;
    let mut path = path.peekable();
    if path.peek().is_none() && default.is_some() {
        out.write_str("::/")?;
    } else if path.peek().is_some() {
        out.write_str("::")?;
    }
    for key in path {
        out.write_str("/")?;
        write_key(&key, out)?;
    }
    match default {
        None => {}
        Some(Fallback::Lacking(Value::Null)) => out.write_str("?=null")?,
        Some(Fallback::Lacking(value)) => write!(out, "?{INSTEAD}{}", json(value))?,
        Some(Fallback::Value(Value::Null)) => out.write_str("?")?,
        Some(Fallback::Value(Value::String(text)))
            if !text.is_empty()
                && !text.starts_with('=')
                && !text.starts_with(INSTEAD)
                && !text.contains(['>', '\n']) =>
        {
            write!(out, "?{text}")?;
        }
        Some(Fallback::Value(other)) => write!(out, "?={}", json(other))?,
    }
    out.write_str(">")
}

/// JSON of a value, without a character that ends a token.
fn json(value: &Value) -> String {
    value.to_string().replace('>', "\\u003e")
}

fn write_key(key: &str, out: &mut impl fmt::Write) -> fmt::Result {
    let mut from = 0;
    for (at, special) in key.match_indices(['~', '/', '>', '?']) {
        out.write_str(&key[from..at])?;
        out.write_str(match special {
            "~" => "~0",
            "/" => "~1",
            ">" => "~2",
            _ => "~3",
        })?;
        from = at + special.len();
    }
    out.write_str(&key[from..])
}
