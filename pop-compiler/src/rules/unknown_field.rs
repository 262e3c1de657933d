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
    explanation: "The type of what is referred to, or of what is written to, has no such field.",
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
};

/// `of` (a value as the user wrote it) has no field `name`.
pub(crate) fn report(name: &Spanned<String>, of: &str, record: &Record, guesses: &Guesses) -> Diagnostic {
    let finding = RULE.at(name.span, format!("{of} has no field `{}`", name.value));
    match suggest::nearest(&name.value, guesses.among(record.iter().map(|(n, _)| n))) {
        Some(near) => super::meant(finding, name, near),
        None => finding.label("unknown field").help(super::list_of("it has", record.iter().map(|(n, _)| n))),
    }
}

/// `of` is not something with fields.
pub(crate) fn no_fields(name: &str, span: Span, of: &str, ty: &Type) -> Diagnostic {
    RULE.at(span, format!("{of} is `{ty}`, which has no fields"))
        .label(format!("`{name}` can't be taken from it"))
}

/// `run` has two fields only.
pub(crate) fn of_run(span: Span) -> Diagnostic {
    RULE.at(span, "a run has only `id` and `customer`").label("write `${run.id}` or `${run.customer}`")
}

/// `each_index` is a number.
pub(crate) fn of_index(span: Span) -> Diagnostic {
    RULE.at(span, "`each_index` is a number and has no fields").label("can't be taken from a number")
}

/// `${with.NAME}` of a command where the operation type has no such input.
pub(crate) fn of_with(
    path: &str,
    name: &str,
    operation: &Spanned<String>,
    record: &Record,
    guesses: &Guesses,
) -> Diagnostic {
    let message = format!("`${{with.{path}}}` is used by `{}`, which has no input `{name}`", operation.value);
    let finding = RULE.at(operation.span, message);
    match suggest::nearest(name, guesses.among(record.iter().map(|(n, _)| n))) {
        Some(near) => {
            let meant = match path.rsplit_once(name) {
                Some((before, after)) => format!("${{with.{before}{}{after}}}", near.name),
                None => format!("${{with.{}}}", near.name),
            };
            let finding = finding.help(format!("did you mean `{meant}`?"));
            let (old, new) = (format!("${{with.{path}}}"), meant);
            if near.certain { finding.replace_inside(operation.span, &old, &new) } else { finding }
        }
        None => finding.help(super::list_of("its inputs are", record.iter().map(|(n, _)| n))),
    }
}

/// `${with.PATH}` of a command goes into something that has no fields.
pub(crate) fn in_with(path: &str, key: &str, operation: &Spanned<String>) -> Diagnostic {
    let message =
        format!("`${{with.{path}}}` is used by `{}`, and there is no `{key}` there", operation.value);
    RULE.at(operation.span, message).label("its command leads nowhere")
}
