//! `allow-without-reason`: an allow comment without a reason.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "allow-without-reason",
    severity: Severity::Warning,
    summary: "an allow comment without a reason",
    explanation: "The next reader of the workflow must be able to check whether the reason still holds: `# pop: allow(rule) reason`.",
    bad: r#"[workflow]
name = "example"

[inputs]
# pop: allow(unused-input)
source = "url"

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

/// The comment at `span` has no reason.
pub(crate) fn report(span: Span) -> Diagnostic {
    RULE.at(span, "an allow comment needs a reason")
        .label("missing reason")
        .help("write the reason after the bracket: `allow(rule) reason`")
}
