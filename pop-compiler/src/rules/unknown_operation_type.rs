//! `unknown-operation-type`: `uses` names an unknown operation type.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;
use crate::suggest;

pub(crate) const RULE: Rule = Rule {
    id: "unknown-operation-type",
    severity: Severity::Error,
    summary: "`uses` names an unknown operation type",
    explanation: "`uses` takes a built-in operation type (pop.sleep, pop.log, pop.transform, sample), or one of a catalog that the workflow \
names in `catalogs` or holds itself in `[catalog]`.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.slep"
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: false,
};

/// Whether the unknown name has the prefix of built-in types, which no catalog can define. The check reads the message
/// of [`report`].
pub(crate) fn is_built_in(finding: &Diagnostic) -> bool {
    finding.rule == RULE.id && finding.message.starts_with("unknown operation type `pop.")
}

/// `uses` names an unknown operation type.
pub(crate) fn report<'n>(name: &Spanned<String>, known: impl IntoIterator<Item = &'n str>) -> Diagnostic {
    let finding = RULE.at(name.span, format!("unknown operation type `{}`", name.value));
    match suggest::nearest(&name.value, known) {
        Some(near) => super::meant(finding, name, near),
        None => finding.label("in no catalog of this workflow").help(format!(
            "add its catalog to `catalogs`, or define the type in `[catalog.\"{}\"]`",
            name.value
        )),
    }
}
