//! `unused-type`: an unused type.

use super::Rule;
use crate::budget;
use crate::diagnostic::{Diagnostic, Severity, has_errors};
use crate::model::Model;

pub(crate) const RULE: Rule = Rule {
    id: "unused-type",
    severity: Severity::Warning,
    summary: "an unused type",
    explanation: "No input, no operation type and no other type names this type of `[types]`. The type is a leftover, or the place that should name it says `any`.",
    bad: r#"[workflow]
name = "example"

[types.Rung]
height = "int"

[operations.wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[inputs]
rung = "Rung"

[types.Rung]
height = "int"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.rung}" }
"#,
    absence: true,
    allowable: true,
};

/// Checks for types of the workflow file that only themselves name.
pub(crate) fn check(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    let broken = has_errors(out);
    for def in &model.workflow.types {
        let name = &def.name;
        if !model.used_types.contains(&name.value) {
            let finding = RULE.at(name.span, format!("unused type `{}`", name.value)).label("unused");
            // among errors, it may be what is missing elsewhere
            out.push(if broken { finding } else { finding.drop_entry(name.span) });
            budget::enforce(out);
        }
    }
}
