//! `allow-not-possible`: an allow of a fault that cannot be allowed.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "allow-not-possible",
    severity: Severity::Warning,
    summary: "an allow of a fault that cannot be allowed",
    explanation: "Warnings can be allowed, and so can errors about values that may be wrong. A fault in syntax, names, cycles or shapes cannot be allowed: such a \
workflow does not compile.",
    bad: r#"[workflow]
name = "example"

# pop: allow(cycle) we know
[operations.wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: true,
};

/// A comment allows `rule`, which cannot be allowed.
pub(crate) fn report(rule: &Rule, span: Span) -> Diagnostic {
    RULE.at(span, format!("cannot allow `{}`: a workflow with this fault does not compile", rule.id))
        .label("stays an error")
}
