//! Sample values of a type: the plainest one, and one that another type rejects.

use serde_json::{Map, Value as Json, json};

use super::{Type, Types};

/// Most parts of a sample; a bound for hostile types.
const MAX_SAMPLE: usize = 1_000;

/// From this depth on, optional parts are empty or null.
const SHORT: usize = 2;

/// Deepest nesting; below, null stands for any value. No written type is so deep without an end.
const MAX_DEPTH: usize = 64;

/// A short value of `from` that `to` rejects. For a type with a part without any value, the nearest approximation.
pub(super) fn witness(from: &Type, to: &Type, types: &Types) -> Json {
    let mut first = None;
    for turn in 0..TURNS {
        let value = sample(from, types, turn);
        if !types.accepts(to, &value) {
            return value;
        }
        first.get_or_insert(value);
    }
    first.unwrap_or_default()
}

/// Number of different samples of a type; see [`scalar`].
const TURNS: usize = 5;

pub(super) fn sample(ty: &Type, types: &Types, turn: usize) -> Json {
    at(ty, types, turn, 0, &mut MAX_SAMPLE.clone())
}

/// Recursion is bounded by [`MAX_DEPTH`].
fn at(ty: &Type, types: &Types, turn: usize, depth: usize, left: &mut usize) -> Json {
    let Some(fewer) = left.checked_sub(1).filter(|_| depth < MAX_DEPTH) else { return Json::Null };
    *left = fewer;
    let mut inside = |ty: &Type| at(ty, types, turn, depth + 1, left);
    match types.resolve(ty) {
        Type::Literal(value) => value.as_ref().clone(),
        Type::List(item) if depth >= SHORT || **item == Type::Any => json!([]),
        Type::Map(item) if depth >= SHORT || **item == Type::Any => json!({}),
        Type::List(item) => json!([inside(item)]),
        Type::Map(item) => Json::Object(Map::from_iter([("key".to_owned(), inside(item))])),
        Type::Record(record) => {
            let required = record.iter().filter(|(_, ty)| !types.accepts_null(ty));
            Json::Object(required.map(|(name, ty)| (name.to_owned(), inside(ty))).collect())
        }
        Type::Union(members) => {
            // the last one is null, if that is among them
            let member = if depth >= SHORT { members.last() } else { members.get(turn % members.len()) };
            member.map_or(Json::Null, inside)
        }
        Type::Secret(inner) => inside(inner),
        scalar => of_scalar(scalar, turn),
    }
}

/// Values of a type without parts, the plainest first.
fn of_scalar(ty: &Type, turn: usize) -> Json {
    let all = match ty {
        Type::Bool => json!([true, false]),
        Type::Int => json!([1, 0, -1, 1_000_003, -987_654_321]),
        Type::Float => json!([0.5, 1.5, -0.25, 1, 1_000_003.5]),
        Type::String => json!(["some text", "other text", "", "text 1000003", "?"]),
        Type::Url => json!(["https://example.com", "s3://bucket/key", "file:/x", "ftp://example.com"]),
        Type::Path => json!(["some/file", "other/file", "a", "/x/1000003"]),
        Type::Duration => json!(["1m", "2h", "3s", "1000003s"]),
        Type::Bytes => json!([1, "8Gi", 0, "512Mi", 1_000_003]),
        Type::Datetime => json!(["2026-01-01T00:00:00Z", "2026-01-02T03:04:05Z", "2026-01-02"]),
        _ => return Json::Null,
    };
    let count = all.as_array().map_or(1, Vec::len);
    all.get(turn % count).cloned().unwrap_or_default()
}
