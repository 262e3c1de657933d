//! `extra-input`: an input that the operation type does not declare.

use std::collections::HashSet;

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;
use crate::suggest::{self, Guesses};
use crate::types::Record;

pub(crate) const RULE: Rule = Rule {
    id: "extra-input",
    severity: Severity::Error,
    summary: "an input that the operation type does not declare",
    explanation: "`with` may hold only inputs that the operation type declares. A run would ignore any other input.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = 720, colour = "red" }
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = 720, title = "red" }
"#,
    absence: false,
    allowable: true,
};

/// `of` has no input `name`. If the input is `needless`, the fix removes it: no other input fits, and its value
/// contains no reference.
pub(crate) fn report(
    name: &Spanned<String>,
    of: &str,
    record: &Record,
    needless: bool,
    given: &HashSet<&str>,
    guesses: &Guesses,
) -> Diagnostic {
    let finding = RULE.at(name.span, format!("`{of}` has no input `{}`", name.value));
    let known = guesses.among(record.iter().map(|(n, _)| n));
    match suggest::nearest(&name.value, known) {
        Some(near) if given.contains(near.name) => {
            return finding
                .label("not an input")
                .help(format!("`{}` is given as well: keep one of them", near.name));
        }
        Some(near) => return super::meant(finding, name, near),
        None => {}
    }
    let known = match record.len() {
        0 => "known inputs: none".to_owned(),
        _ => super::list_of("known inputs:", record.iter().map(|(n, _)| n)),
    };
    let finding = finding.label("not an input").help(known);
    if needless { finding.drop_entry(name.span) } else { finding }
}
