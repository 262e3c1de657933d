//! Paths into template text: where a path meets a reference, the path continues inside the reference.

use serde_json::Value;

use super::{Fallback, Reference, Token, escaped, follow, whole};

/// The template text at the end of a path in template text. None for an absent value without a default.
pub(crate) fn dig(root: &Value, path: &[String], default: Option<Fallback>) -> Option<Value> {
    let mut at = root;
    for (i, step) in path.iter().enumerate() {
        if let Value::String(text) = at
            && let Some(token) = whole(text)
        {
            return Some(go_on(&token, &path[i..], default));
        }
        match follow(at, std::slice::from_ref(step)) {
            Some(next) => at = next,
            None => return default.map(|default| escaped(default.value())),
        }
    }
    Some(match at {
        Value::Null => default.map_or(Value::Null, |default| escaped(default.value())),
        Value::String(text) => match whole(text) {
            Some(token) => go_on(&token, &[], default),
            None => at.clone(),
        },
        _ => at.clone(),
    })
}

/// A reference that continues along `path`.
fn go_on(token: &Token<'_>, path: &[String], default: Option<Fallback>) -> Value {
    let (mut name, mut path) = (token.name.to_owned(), path);
    if let Some(base) = token.name.strip_suffix(".*.out")
        && let Some((index, rest)) = path.split_first()
    {
        // an item of all is one item
        name = format!("{base}.{index}.out");
        path = rest;
    }
    // a list is there or not; its items are another matter
    let default = if token.is_family() && path.is_empty() && matches!(default, Some(Fallback::Lacking(_))) {
        None
    } else {
        default
    };
    let default = match token.fallback().and_then(|own| own.at(path)) {
        Some(own) => Some(own.or_outer(default)),
        None => default,
    };
    let whole = token.path().into_iter().chain(path.iter().cloned()).collect();
    Value::String(Reference { name, path: whole, default }.to_string())
}
