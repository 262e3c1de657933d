//! `unknown-rule`: a rule that does not exist.

use super::{ALL, Rule};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;
use crate::suggest;

pub(crate) const RULE: Rule = Rule {
    id: "unknown-rule",
    severity: Severity::Warning,
    summary: "a rule that does not exist",
    explanation: "A comment `pop: allow(rule)` or `[lints]` in `pop.toml` names a rule. `popc explain` lists all rules.",
    bad: r#"[workflow]
name = "example"

# pop: allow(unused-inptu) old clients still send it
[operations.wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[inputs]
# pop: allow(unused-input) old clients still send it
source = "url"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: true,
};

/// `name` is an unknown rule.
pub(crate) fn report(name: &Spanned<String>) -> Diagnostic {
    let finding = RULE.at(name.span, format!("unknown rule `{}`", name.value));
    match suggest::nearest(&name.value, ALL.iter().map(|rule| rule.id)) {
        Some(near) => super::meant(finding, name, near),
        None => finding.label("not a rule").help("`popc explain` lists the rules"),
    }
}
