//! Whether a JSON value is a value of a type.

use std::cell::Cell;

use serde_json::Value as Json;

use super::{Type, Types, formats};
use crate::{duration, quantity};

/// Deepest nesting in a value; deeper types accept everything.
const MAX_DEPTH: usize = 512;

/// Most comparisons; afterwards a value counts as valid. Nested unions that contain each other could otherwise take for
/// ever in a hostile file.
const STEPS: u32 = 1_000_000;

impl Types {
    /// Whether `value`, which contains no reference, has type `ty`.
    pub fn accepts(&self, ty: &Type, value: &Json) -> bool {
        self.accepts_at(ty, value, &Cell::new(STEPS), 0)
    }

    /// Recursion is bounded by [`MAX_DEPTH`].
    fn accepts_at(&self, ty: &Type, value: &Json, steps: &Cell<u32>, depth: usize) -> bool {
        let Some(left) = steps.get().checked_sub(1).filter(|_| depth <= MAX_DEPTH) else { return true };
        steps.set(left);
        let fits = |ty: &Type, value: &Json| self.accepts_at(ty, value, steps, depth + 1);
        match (self.resolve(ty), value) {
            (Type::Any | Type::Error, _)
            | (Type::Null, Json::Null)
            | (Type::Bool, Json::Bool(_))
            | (Type::String | Type::Path, Json::String(_)) => true,
            (Type::Int, Json::Number(n)) => is_whole(n),
            // one that is too large for any program is none
            (Type::Float, Json::Number(n)) => n.as_f64().is_some_and(f64::is_finite),
            (Type::Bytes, Json::Number(n)) => is_whole(n) && !n.as_str().starts_with('-'),
            (Type::Url, Json::String(s)) => formats::is_url(s),
            (Type::Duration, Json::String(s)) => duration::parse(s).is_ok(),
            (Type::Bytes, Json::String(s)) => quantity::bytes(s).is_ok(),
            (Type::Datetime, Json::String(s)) => formats::is_datetime(s),
            (Type::Literal(expected), value) => same(expected, value),
            (Type::Union(members), value) => members.iter().any(|m| fits(m, value)),
            (Type::Secret(inner), value) => fits(inner, value),
            (Type::List(item), Json::Array(items)) => items.iter().all(|v| fits(item, v)),
            (Type::Map(item), Json::Object(map)) => map.values().all(|v| fits(item, v)),
            (Type::Record(record), Json::Object(map)) => {
                map.iter().all(|(k, v)| record.get(k).or(record.rest()).is_some_and(|t| fits(t, v)))
                    && record.iter().all(|(k, t)| map.contains_key(k) || self.accepts_null(t))
            }
            _ => false,
        }
    }
}

/// Whether a value equals this constant. A whole number has no fraction, because `1.0` would match the constant `1`,
/// but not `int`. The constant `1.0` accepts both.
pub(crate) fn same(constant: &Json, value: &Json) -> bool {
    match (constant, value) {
        (Json::Number(constant), Json::Number(value)) => match (is_whole(constant), is_whole(value)) {
            // floats have gaps where whole numbers are large
            (true, true) => digits(constant) == digits(value),
            (true, false) => false,
            (false, _) => constant.as_f64() == value.as_f64(),
        },
        _ => constant == value,
    }
}

/// Digits of a whole number; zero has no sign.
fn digits(n: &serde_json::Number) -> &str {
    if n.as_str() == "-0" { "0" } else { n.as_str() }
}

pub(crate) fn is_whole(n: &serde_json::Number) -> bool {
    n.as_str().bytes().all(|b| b == b'-' || b.is_ascii_digit())
}
