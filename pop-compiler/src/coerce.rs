//! A value that is right but written in the wrong JSON form: `"3"` for 3, one for a list of one, `5 minutes` for `5m`.

use serde_json::{Number, Value as Json};

use crate::ast::{Value, ValueKind};
use crate::diagnostic::Edit;
use crate::source::Span;
use crate::suggest;
use crate::types::{Type, Types};
use crate::units;

/// Spaces between a bracket and the item it holds; more may be a comment.
const GAP: u32 = 2;

/// The edits that make `value`, in which no reference is, one of type `ty`; none when it can't be said how.
pub(crate) fn edits(types: &Types, ty: &Type, value: &Value) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    (fit(types, ty, value, &mut edits) && !edits.is_empty()).then_some(edits)
}

/// Recursion is bounded by the depth of the source.
fn fit(types: &Types, ty: &Type, value: &Value, edits: &mut Vec<Edit>) -> bool {
    let Some(json) = value.to_json() else { return false };
    if types.accepts(ty, &json) {
        return true;
    }
    match (shape(types, ty), &value.kind) {
        (Some(Type::List(item)), ValueKind::List(items)) => items.iter().all(|v| fit(types, item, v, edits)),
        (Some(Type::Map(item)), ValueKind::Record(fields)) => {
            fields.iter().all(|f| fit(types, item, &f.value, edits))
        }
        (Some(Type::Record(record)), ValueKind::Record(fields)) => {
            record
                .iter()
                .all(|(name, ty)| types.accepts_null(ty) || fields.iter().any(|f| f.name.value == name))
                && fields.iter().all(|f| {
                    let ty = record.get(&f.name.value).or(record.rest());
                    ty.is_some_and(|ty| fit(types, ty, &f.value, edits))
                })
        }
        _ => match leaf(types, ty, value, &json) {
            Some(found) => {
                edits.extend(found);
                true
            }
            None => false,
        },
    }
}

/// The edits for a value that is of another kind than what is wanted.
fn leaf(types: &Types, ty: &Type, value: &Value, json: &Json) -> Option<Vec<Edit>> {
    // of `0x10` or `1_000` nobody knows whether the digits or the number is meant
    let odd = matches!(json, Json::Number(n) if n.as_str().len() != value.span.range().len());
    if let Some(new) = scalar(types, ty, json).filter(|new| !(odd && new.is_string())) {
        return Some(vec![Edit { span: value.span, replacement: new.to_string() }]);
    }
    if let Some(Type::List(item)) = shape(types, ty)
        && !matches!(value.kind, ValueKind::List(_) | ValueKind::Null)
        // `"a, b"` may be two
        && !json.as_str().is_some_and(|text| text.contains([',', ';', '\n']))
        && types.accepts(item, json)
    {
        return Some(wrap(value.span));
    }
    if let ValueKind::List(items) = &value.kind
        && let [only] = items.as_slice()
        && types.accepts(ty, &only.to_json()?)
        && only.span.start.checked_sub(value.span.start)? <= GAP
        && value.span.end.checked_sub(only.span.end)? <= GAP
    {
        let cut = |start, end| Edit { span: Span { start, end, ..value.span }, replacement: String::new() };
        return Some(vec![cut(value.span.start, only.span.start), cut(only.span.end, value.span.end)]);
    }
    None
}

/// Brackets around what is at `span`.
pub(crate) fn wrap(span: Span) -> Vec<Edit> {
    let put =
        |at, text: &str| Edit { span: Span { start: at, end: at, ..span }, replacement: text.to_owned() };
    vec![put(span.start, "["), put(span.end, "]")]
}

/// The one value of type `ty` that `json` can have been meant as.
fn scalar(types: &Types, ty: &Type, json: &Json) -> Option<Json> {
    let mut candidates: Vec<Json> = Vec::new();
    match json {
        Json::String(text) => {
            let text = text.trim();
            // where a length of time may be meant, a unit may be missing
            let timed = types.accepts(ty, &"1s".into()) && !types.accepts(ty, &"s".into());
            candidates.extend(text.parse().ok().filter(|_| !timed).map(Json::Number));
            candidates.extend(match text.to_lowercase().as_str() {
                "true" | "yes" => Some(Json::Bool(true)),
                "false" | "no" => Some(Json::Bool(false)),
                _ => None,
            });
            candidates
                .extend([units::duration(text), units::memory(text)].into_iter().flatten().map(Json::String));
            if candidates.iter().all(|candidate| !types.accepts(ty, candidate))
                && let Some(near) = suggest::nearest_word(text, words(types, ty)).filter(|near| near.certain)
            {
                candidates.push(near.name.into());
            }
        }
        Json::Number(number) => {
            candidates.push(number.to_string().into());
            let whole = number.as_str().strip_suffix(".0").and_then(|n| n.parse().ok());
            candidates.extend(whole.map(Json::Number));
            candidates.extend(written_out(number).map(Json::Number));
        }
        Json::Bool(truth) => candidates.push(truth.to_string().into()),
        _ => {}
    }
    candidates.retain(|candidate| types.accepts(ty, candidate));
    match candidates.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// `1e3` as `1000`, when that is a whole number that every program can hold.
fn written_out(number: &Number) -> Option<Number> {
    const MOST: f64 = 9_007_199_254_740_991.0;
    let value = number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() <= MOST)?;
    number.as_str().contains(['e', 'E']).then(|| format!("{value:.0}").parse().ok())?
}

/// The only list, map or record that a type is, beside null.
fn shape<'t>(types: &'t Types, ty: &'t Type) -> Option<&'t Type> {
    match types.resolve(ty) {
        Type::Union(members) => {
            let mut shapes = members.iter().filter_map(|member| shape(types, member));
            let first = shapes.next()?;
            shapes.next().is_none().then_some(first)
        }
        one @ (Type::List(_) | Type::Map(_) | Type::Record(_)) => Some(one),
        _ => None,
    }
}

/// The texts that a union of literals takes.
fn words<'t>(types: &'t Types, ty: &'t Type) -> Vec<&'t str> {
    match types.resolve(ty) {
        Type::Union(members) => members.iter().flat_map(|member| words(types, member)).collect(),
        Type::Literal(value) => value.as_str().into_iter().collect(),
        _ => Vec::new(),
    }
}
