//! `useless-allow`: an allow comment without an effect.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "useless-allow",
    severity: Severity::Warning,
    summary: "an allow comment without an effect",
    explanation: "`# pop: allow(rule) reason` suppresses the findings of a rule in the table or entry directly below. Without such findings the comment is a leftover, \
and would hide the next finding.",
    bad: r#"[workflow]
name = "example"

# pop: allow(constant-when) always on in this stage
[operations.wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
# pop: allow(constant-when) always on in this stage
when = true
"#,
    absence: true,
    allowable: true,
};

/// No finding of `rule` is below the comment; `cut` is the part of the comment to remove.
pub(crate) fn report(rule: &str, span: Span, cut: Span) -> Diagnostic {
    RULE.at(span, format!("useless allow of `{rule}`: no such finding below"))
        .label("no effect")
        .help("place the comment directly above the table or entry of the finding")
        .edit(cut, "")
}
