//! `allow-not-possible`: a fault that can't be allowed.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "allow-not-possible",
    severity: Severity::Warning,
    summary: "a fault that can't be allowed",
    explanation: "Warnings can be allowed, and so can errors that say a value may be wrong. A fault that leaves nothing to compile (syntax, names, circles, shapes) can't be: \
there would be no agenda to make.",
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

/// `rule` is not one of those that can be allowed.
pub(crate) fn report(rule: &Rule, span: Span) -> Diagnostic {
    RULE.at(span, format!("`{}` can't be allowed: such a workflow can't be compiled", rule.id))
        .label("stays an error")
}
