//! `unused-input`: an unused input.

use super::{Rule, bad_expression};
use crate::budget;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Model;

pub(crate) const RULE: Rule = Rule {
    id: "unused-input",
    severity: Severity::Warning,
    summary: "an unused input",
    explanation: "Every submitter of the workflow must consider each input. An unused input is a mistake or a leftover.",
    bad: r#"[workflow]
name = "example"

[inputs]
source = "url"

[operations.wait]
uses = "pop.sleep"
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
    allowable: true,
};

/// Checks for inputs without references.
pub(crate) fn check(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    // a reference that could not be read may be the one that would have named it
    if out.iter().any(|d| d.rule == bad_expression::RULE.id) {
        return;
    }
    for (input, used) in model.inputs.iter().zip(&model.used_inputs) {
        if !used {
            let name = &input.name;
            out.push(RULE.at(name.span, format!("unused input `{}`", name.value)).label("unused"));
            budget::enforce(out);
        }
    }
}
