//! Whether a JSON value is a value of a type.

use std::cell::Cell;

use serde_json::Value as Json;

use super::{Type, Types, formats};
use crate::{duration, quantity};

/// Types nested further than this in a value take everything.
const MAX_DEPTH: usize = 512;

/// Comparisons that are made before a value counts as fitting. Nested unions that contain each other could otherwise
/// keep a hostile file busy for ever.
const STEPS: u32 = 1_000_000;

impl Types {
    /// Whether `value` (of which no part is a reference) is of type `ty`.
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

/// Whether a value is this constant. A whole number is not written with a fraction, or it would be one of `1` and none of
/// `int`; `1.0` as a constant takes both.
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

/// A whole number's text; nought has no sign.
fn digits(n: &serde_json::Number) -> &str {
    if n.as_str() == "-0" { "0" } else { n.as_str() }
}

pub(crate) fn is_whole(n: &serde_json::Number) -> bool {
    n.as_str().bytes().all(|b| b == b'-' || b.is_ascii_digit())
}
