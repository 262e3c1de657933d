//! `constant-when`: a constant `when`.

use super::Rule;
use crate::ast::ValueKind;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Model, Operation};

pub(crate) const RULE: Rule = Rule {
    id: "constant-when",
    severity: Severity::Warning,
    summary: "a constant `when`",
    explanation: "`when` decides at run time whether an operation runs. `when = true` has no effect. With `when = false` the operation is `unreachable`.",
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
    allowable: true,
};

/// `when = true`; `when = false` is `unreachable`.
pub(crate) fn check(_: &Model<'_>, operation: &Operation<'_>, out: &mut Vec<Diagnostic>) {
    let Some(when) = &operation.ast.when else { return };
    if let ValueKind::Bool(true) = when.kind {
        let name = &operation.ast.name.value;
        let message = format!("`when` is `true`: `{name}` always runs");
        out.push(RULE.at(when.span, message).label("constant").drop_entry(when.span));
    }
}
