//! `unknown-input`: a reference to an input that is not there.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};
use crate::suggest;

pub(crate) const RULE: Rule = Rule {
    id: "unknown-input",
    severity: Severity::Error,
    summary: "a reference to an input that is not there",
    explanation: "`${inputs.name}` stands for the input `name`, which `[inputs]` must declare.",
    bad: r#"[workflow]
name = "example"

[inputs]
source = "url"

[operations.wait]
uses = "pop.sleep"
with = { output = ["${inputs.source}", "${inputs.sorce}"] }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
source = "url"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.source}" }
"#,
    absence: true,
};

/// A reference to an input that is not declared.
pub(crate) fn report<'n>(name: &str, span: Span, known: impl IntoIterator<Item = &'n str>) -> Diagnostic {
    let finding = RULE.at(span, format!("there is no input `{name}`"));
    match suggest::nearest(name, known) {
        Some(near) => super::meant(finding, &Spanned::new(name.to_owned(), span), near),
        None => finding.label("not declared in `[inputs]`"),
    }
}
