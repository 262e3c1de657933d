//! What JSON calls the fields of a workflow's result.

use pop_compiler::diagnostic::{Diagnostic, Location};

use super::shape::alike;
use crate::definition::ResultFields;

/// The names in JSON of all fields of a result, in their order; none where one can't be said.
pub(super) fn names<'n>(result: ResultFields, rust: impl Iterator<Item = &'n str>) -> Vec<Option<&'n str>> {
    let rust: Vec<&str> = rust.collect();
    let fields = match result {
        ResultFields::Named(_) => return rust.into_iter().map(|name| given(result, name)).collect(),
        ResultFields::InJson([]) => return rust.into_iter().map(Some).collect(),
        ResultFields::InJson(fields) => fields,
    };
    let mut names: Vec<Option<&str>> = rust.iter().map(|name| find(fields, name)).collect();
    // Where each field is given and each but one has been found, what is left on both sides is one field.
    let mut left = fields.iter().filter(|json| !names.contains(&Some(**json)));
    if let (Some(json), None) = (left.next(), left.next())
        && fields.len() == rust.len()
        && let Some(lost) = names.iter_mut().find(|name| name.is_none())
    {
        *lost = Some(json);
    }
    names
}

/// What JSON calls a field, where every name is known.
pub(super) fn given(result: ResultFields, rust: &str) -> Option<&'static str> {
    match result {
        ResultFields::Named(pairs) => pairs.iter().find(|(name, _)| *name == rust).map(|(_, json)| *json),
        ResultFields::InJson(_) => None,
    }
}

fn find(fields: &[&'static str], rust: &str) -> Option<&'static str> {
    if let Some(json) = fields.iter().find(|json| **json == rust) {
        return Some(json);
    }
    let mut alike = fields.iter().filter(|json| alike(json, rust));
    alike.next().copied().filter(|_| alike.next().is_none())
}

pub(super) fn no_field(rust: &str, result: ResultFields) -> Diagnostic {
    let at = Location::Pointer(format!("/outputs/{rust}"));
    let message = format!("unknown JSON name of field `{rust}` of the result");
    let finding = Diagnostic::error("unknown-field", at, message);
    let fields = match result {
        ResultFields::InJson(fields) => fields.join("`, `"),
        ResultFields::Named(pairs) => pairs.iter().map(|(_, json)| *json).collect::<Vec<_>>().join("`, `"),
    };
    finding.help(format!(
        "its fields are `{fields}`: put `#[pop_sdk::record]` above the `#[derive(…)]` of its struct"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_on_both_sides_is_one_field() {
        let fields = ResultFields::InJson(&["type", "fullName", "size"]);
        let found = |rust: &[&'static str]| names(fields, rust.iter().copied());
        assert_eq!(found(&["size", "kind", "full_name"]), [Some("size"), Some("type"), Some("fullName")]);
        assert_eq!(found(&["size", "kind"]), [Some("size"), None]); // another was left out
        assert_eq!(found(&["weight", "kind", "full_name"]), [None, None, Some("fullName")]);
        let named = ResultFields::Named(&[("a", "b"), ("b", "a")]);
        assert_eq!(names(named, ["b", "a", "c"].into_iter()), [Some("a"), Some("b"), None]);
        assert_eq!(names(ResultFields::InJson(&[]), ["x"].into_iter()), [Some("x")]);
    }
}
