//! `undeclared-field`: a further field of an open record that is nearly one that the record names.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;

pub(crate) const RULE: Rule = Rule {
    id: "undeclared-field",
    severity: Severity::Warning,
    summary: "a further field of an open record that is nearly one that it names",
    explanation: "An open record (`{title: string?, ...}`) may have fields that it does not name, so a misspelt one is no error: it is handed on as it is, or found \
absent. If the field is meant, allow this where it is written: `# pop: allow(undeclared-field) the tool knows both`.",
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

/// `of` does not name the field `name`, but `near`. No fix: the field may be meant.
pub(crate) fn report(name: &Spanned<String>, of: &str, near: &str) -> Diagnostic {
    RULE.at(name.span, format!("{of} does not name a field `{}`, but takes any", name.value))
        .help(format!("did you mean `{near}`?"))
}
