//! `undeclared-field`: an undeclared field of an open record with nearly the name of a declared one.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;

pub(crate) const RULE: Rule = Rule {
    id: "undeclared-field",
    severity: Severity::Warning,
    summary: "an undeclared field of an open record with nearly the name of a declared one",
    explanation: "An open record (`{title: string?, ...}`) accepts undeclared fields, so a misspelt field is not an error. POP passes the field on, or reads it as \
absent. If the name is intended, allow the finding there: `# pop: allow(undeclared-field) the tool knows both`.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?", "..." = "string" }
command = ["encode"]

[operations.encode]
uses = "media.encode"
with = { height = 720, titel = "a clip", tune = "film" }
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?", "..." = "string" }
command = ["encode"]

[operations.encode]
uses = "media.encode"
with = { height = 720, title = "a clip", tune = "film" }
"#,
    absence: false,
    allowable: true,
};

/// `of` declares no field `name`, but `near`. No fix, because the name may be intended.
pub(crate) fn report(name: &Spanned<String>, of: &str, near: &str) -> Diagnostic {
    RULE.at(name.span, format!("{of} declares no field `{}`, but accepts any field", name.value))
        .help(format!("did you mean `{near}`?"))
}
