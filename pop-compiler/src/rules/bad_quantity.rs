//! `bad-quantity`: a text that is not a quantity.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;
use crate::units;

pub(crate) const RULE: Rule = Rule {
    id: "bad-quantity",
    severity: Severity::Error,
    summary: "a text that is not a quantity",
    explanation: "Resources are written as Kubernetes does: `500m` and `2` for processors, `512Mi` and `8Gi` for memory.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
resources = { memory = "8GB" }
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
resources = { memory = "8Gi" }
"#,
    absence: false,
    allowable: false,
};

/// `text`, the value of `what`, is not a quantity, and `why`.
pub(crate) fn report(text: &Spanned<String>, what: &str, why: &str) -> Diagnostic {
    let finding = RULE.at(text.span, format!("bad quantity: {why}")).label("not a quantity");
    let mended = if what == "`cpu`" { units::cpu(&text.value) } else { units::memory(&text.value) };
    super::written(finding, text, mended)
}
