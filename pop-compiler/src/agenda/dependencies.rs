//! Dependencies of an operation: references in its payload and its conditions, and `dependsOn`.

use std::collections::HashMap;

use serde_json::Value;

use super::{Operation, keys};
use crate::reference;

/// Strength of a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// Order only.
    Order,
    /// The operation reads the output, and each such reference has a default in its place.
    Optional,
    /// The operation needs the output.
    Required,
}

/// An operation that another one waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Name of the operation.
    pub name: String,
    /// The strongest kind of all mentions.
    pub kind: EdgeKind,
}

/// A place where an operation names another one that it waits for.
#[derive(Debug)]
pub struct Mention<'a, 'p> {
    /// Name of the other operation.
    pub name: &'a str,
    /// Strength of the dependency.
    pub kind: EdgeKind,
    /// Part of the operation: a JSON pointer inside it.
    pub field: &'static str,
    /// Place in that part: the rest of the JSON pointer.
    pub rest: &'p str,
    /// The reference as written; none for `dependsOn`.
    pub token: Option<&'a str>,
}

/// Calls `each` for every mention of another operation, in the order of the text. References count in the payload, in
/// the condition, and in the list over which a template's operation fans out. POP replaces references only there.
pub fn mentions<'a>(operation: &'a Operation, each: &mut dyn FnMut(Mention<'a, '_>)) {
    let mut collect = |rest: &str, token: &reference::Token<'a>, field: &'static str| {
        if let Some(name) = reference::operation_of(token.name) {
            let kind = if token.copes() { EdgeKind::Optional } else { EdgeKind::Required };
            each(Mention { name, kind, field, rest, token: Some(token.text) });
        }
    };
    reference::scan(&operation.payload, &mut |rest, _, token| collect(rest, token, "/payload"));
    for (key, field) in [(keys::WHEN, "/params/pop.when"), (keys::EACH, "/params/pop.each")] {
        if let Some(value) = operation.params.get(key) {
            reference::scan(value, &mut |rest, _, token| collect(rest, token, field));
        }
    }
    let mut order = |name: &'a str, rest: &str| {
        each(Mention { name, kind: EdgeKind::Order, field: "/params/dependsOn", rest, token: None });
    };
    match operation.params.get(keys::DEPENDS_ON) {
        Some(Value::String(text)) => {
            for name in text.split(',').map(str::trim).filter(|s| !s.is_empty()) {
                order(name, "");
            }
        }
        Some(Value::Array(names)) => {
            for (i, name) in names.iter().enumerate() {
                if let Some(name) = name.as_str() {
                    order(name, &format!("/{i}"));
                }
            }
        }
        _ => {}
    }
}

/// All dependencies of an operation: each name once, in the order of the first mention.
pub fn dependencies(operation: &Operation) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    mentions(operation, &mut |mention| {
        let Mention { name, kind, .. } = mention;
        let at = *index.entry(name).or_insert(found.len());
        match found.get_mut(at) {
            Some(known) => known.kind = known.kind.max(kind),
            None => found.push(Dependency { name: name.to_owned(), kind }),
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_counts_once_with_the_strongest_reason() {
        let operation = Operation {
            payload: json!(["@<b.out?>", "@<c.out::/x?1>", "@<c.out>", "@<pop.agendaId>"]),
            params: json!({"dependsOn": " c, d ,,"}).as_object().cloned().unwrap_or_default(),
            ..Operation::default()
        };
        let found: Vec<_> = dependencies(&operation).into_iter().map(|d| (d.name, d.kind)).collect();
        assert_eq!(found, [("c".into(), EdgeKind::Required), ("d".into(), EdgeKind::Order)]);
        let mut places = Vec::new();
        mentions(&operation, &mut |m| places.push(format!("{}{}", m.field, m.rest)));
        assert_eq!(places, ["/payload/1", "/payload/2", "/params/dependsOn", "/params/dependsOn"]);
    }
}
