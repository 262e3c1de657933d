//! `unknown-operation`: `after` names an unknown operation.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;
use crate::suggest::Near;

pub(crate) const RULE: Rule = Rule {
    id: "unknown-operation",
    severity: Severity::Error,
    summary: "`after` names an unknown operation",
    explanation: "`after` takes the names of operations of the same workflow.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
after = ["wiat2"]
"#,
    good: r#"[workflow]
name = "example"

[operations.first]
uses = "pop.sleep"

[operations.wait]
uses = "pop.sleep"
after = ["first"]
"#,
    absence: true,
    allowable: false,
};

/// `after` names an unknown operation; `near` is a suggestion.
pub(crate) fn report(name: &Spanned<String>, near: Option<Near<'_>>) -> Diagnostic {
    let finding = RULE.at(name.span, format!("unknown operation `{}`", name.value));
    let plain = name.value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match (near, plain) {
        (None, Some(plain)) => {
            finding.label("a reference").help(format!("`after` takes names: write `{plain}`"))
        }
        (Some(near), _) => super::meant(finding, name, near),
        (None, None) => finding.label("no operation has this name"),
    }
}
