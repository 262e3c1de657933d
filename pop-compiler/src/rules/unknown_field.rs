//! `unknown-field`: a field that the value does not have.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};
use crate::suggest::{self, Guesses};
use crate::types::{Record, Type};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-field",
    severity: Severity::Error,
    summary: "a field that the value does not have",
    explanation: "The type of the value has no such field.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = 720 }

[outputs]
file = "${encode.fiel}"
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = 720 }

[outputs]
file = "${encode.file}"
"#,
    absence: false,
    allowable: false,
};

/// `of`, a value as written, has no field `name`.
pub(crate) fn report(name: &Spanned<String>, of: &str, record: &Record, guesses: &Guesses) -> Diagnostic {
    let finding = RULE.at(name.span, format!("{of} has no field `{}`", name.value));
    match suggest::nearest(&name.value, guesses.among(record.iter().map(|(n, _)| n))) {
        Some(near) => super::meant(finding, name, near),
        None => finding
            .label("unknown field")
            .help(super::list_of("known fields:", record.iter().map(|(n, _)| n))),
    }
}

/// `of` has a type without fields.
pub(crate) fn no_fields(name: &str, span: Span, of: &str, ty: &Type) -> Diagnostic {
    RULE.at(span, format!("{of} is `{ty}`, which has no fields")).label(format!("cannot read `{name}`"))
}

/// `run` has two fields only.
pub(crate) fn of_run(span: Span) -> Diagnostic {
    RULE.at(span, "unknown field: `run` has only `id` and `customer`")
        .label("write `${run.id}` or `${run.customer}`")
}

/// `each_index` is a number.
pub(crate) fn of_index(span: Span) -> Diagnostic {
    RULE.at(span, "`each_index` is a number and has no fields").label("a number has no fields")
}

/// `key`, in a `${with.…}` of a command, is not an input of the operation type, or not a field of the value `before`
/// it.
pub(crate) fn of_with(
    before: &str,
    key: &Spanned<String>,
    operation: &Spanned<String>,
    record: &Record,
    guesses: &Guesses,
) -> Diagnostic {
    let (of, what) = match before.strip_suffix('.') {
        None => (format!("`{}`", operation.value), "input"),
        Some(before) => (format!("`with.{before}`"), "field"),
    };
    let finding = RULE.at(key.span, format!("{of} has no {what} `{}`", key.value));
    if let Some(near) = suggest::nearest(&key.value, guesses.among(record.iter().map(|(n, _)| n))) {
        return super::meant(finding, key, near);
    }
    let intro = if what == "input" { "known inputs:" } else { "known fields:" };
    finding.label(format!("unknown {what}")).help(super::list_of(intro, record.iter().map(|(n, _)| n)))
}

/// `key`, in `${with.PATH}` of a command, belongs to a value without fields.
pub(crate) fn in_with(path: &str, key: &Spanned<String>, operation: &Spanned<String>) -> Diagnostic {
    let message = format!("invalid `${{with.{path}}}` in `{}`: no field `{}`", operation.value, key.value);
    RULE.at(key.span, message).label("the value has no fields")
}
