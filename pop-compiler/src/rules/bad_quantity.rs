//! `bad-quantity`: an invalid quantity.

use super::Rule;
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::source::Spanned;
use crate::{quantity, units};

pub(crate) const RULE: Rule = Rule {
    id: "bad-quantity",
    severity: Severity::Error,
    summary: "an invalid quantity",
    explanation: "Resources use Kubernetes quantities: `500m` and `2` for CPU, `512Mi` and `8Gi` for memory.",
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

/// `text`, the value of `what`, is not a quantity; `why` is the whole message.
pub(crate) fn report(text: &Spanned<String>, what: &str, why: &str) -> Diagnostic {
    let finding = RULE.at(text.span, why).label("not a quantity");
    let mended = if what == "`cpu`" { units::cpu(&text.value) } else { units::memory(&text.value) };
    super::written(finding, text, mended)
}

/// A finding, if `text` is not a quantity of bytes or pieces.
pub(crate) fn check(at: Location, text: &str) -> Option<Diagnostic> {
    let why = quantity::bytes(text).err()?;
    let finding = RULE.at(at.clone(), why.to_string()).label("not a quantity");
    Some(super::written_at(finding, at, text, units::memory(text)))
}
