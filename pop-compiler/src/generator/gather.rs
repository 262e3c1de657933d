//! `@<encode.*.out::/file>`: the list of what all operations of a family give.

use serde_json::Value;

use crate::reference::{self, Token};

/// Puts a list of references in the place of each reference to a whole family. `count` says how many operations the
/// family of a stem has; where it says nothing, the reference stays.
pub fn gather(root: &mut Value, count: &mut dyn FnMut(&str) -> Option<usize>) {
    families(root, &mut |token| expanded(token, count));
}

/// Puts something else in the place of references to whole families, where they are all of a text; those of which
/// `replace` makes nothing stay.
pub(crate) fn families(root: &mut Value, replace: &mut dyn FnMut(&Token<'_>) -> Option<Value>) {
    let mut stack = vec![root];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) if text.contains(".*.out") => {
                let Some(token) = reference::whole(text).filter(Token::is_family) else { continue };
                if let Some(new) = replace(&token) {
                    *value = new;
                }
            }
            Value::Array(items) => stack.extend(items.iter_mut()),
            Value::Object(map) => stack.extend(map.values_mut()),
            _ => {}
        }
    }
}

/// The list of references that one to a whole family stands for.
fn expanded(token: &Token<'_>, count: &mut dyn FnMut(&str) -> Option<usize>) -> Option<Value> {
    let stem = token.name.strip_suffix(".*.out")?;
    let count = count(stem)?;
    let rest = &token.text[2 + token.name.len()..];
    Some((0..count).map(|n| Value::from(format!("@<{stem}.{n}.out{rest}"))).collect())
}
