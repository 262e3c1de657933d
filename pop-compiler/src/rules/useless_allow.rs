//! `useless-allow`: a comment that allows what is not there.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "useless-allow",
    severity: Severity::Warning,
    summary: "a comment that allows what is not there",
    explanation: "`# pop: allow(rule) reason` takes back the findings of a rule in the table or entry directly below it. When there are none, the comment is a leftover, and \
would hide the next one.",
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

/// Nothing of `rule` is below the comment; `cut` is what goes from it, or all of it.
pub(crate) fn report(rule: &str, span: Span, cut: Span) -> Diagnostic {
    RULE.at(span, format!("this allows `{rule}`, of which nothing is found below"))
        .label("allows nothing")
        .help("an allow stands directly above the table or the entry that it is about")
        .edit(cut, "")
}
