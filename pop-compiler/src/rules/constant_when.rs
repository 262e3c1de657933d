//! `constant-when`: a `when` that is always the same.

use super::Rule;
use crate::ast::ValueKind;
use crate::check::Model;
use crate::diagnostic::{Diagnostic, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "constant-when",
    severity: Severity::Warning,
    summary: "a `when` that is always the same",
    explanation: "`when` decides at run time whether an operation runs. Written as `true` it does nothing. (Written as `false` the operation is `unreachable`.)",
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

/// `when = true`; `when = false` is `unreachable`.
pub(crate) fn check(model: &Model<'_>, out: &mut Vec<Diagnostic>) {
    for operation in &model.operations {
        let Some(when) = &operation.ast.when else { continue };
        if let ValueKind::Bool(true) = when.kind {
            let name = &operation.ast.name.value;
            out.push(RULE.at(when.span, format!("`when` is `true`: `{name}` always runs")).label("constant"));
        }
    }
}
