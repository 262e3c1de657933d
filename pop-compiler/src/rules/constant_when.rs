//! `constant-when`: a `when` that is always the same.

use super::Rule;
use crate::ast::ValueKind;
use crate::check::Model;
use crate::diagnostic::{Diagnostic, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "constant-when",
    severity: Severity::Warning,
    summary: "a `when` that is always the same",
    explanation: "`when` decides at run time whether an operation runs. Written as `true` it does nothing; written as `false` the operation never runs.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
when = true
"#,
    good: r#"[workflow]
name = "example"

[inputs]
really = "bool"

[operations.wait]
uses = "pop.sleep"
when = "${inputs.really}"
"#,
    absence: false,
};

/// `when = true` and `when = false`.
pub(crate) fn check(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    for operation in &model.operations {
        let Some(when) = &operation.ast.when else { continue };
        if let ValueKind::Bool(constant) = when.kind {
            let name = &operation.ast.name.value;
            let says = if constant { "always runs" } else { "never runs" };
            out.push(
                RULE.at(when.span, format!("`when` is `{constant}`: `{name}` {says}")).label("constant"),
            );
        }
    }
}
