//! `allow-without-reason`: a comment that allows something and does not say why.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "allow-without-reason",
    severity: Severity::Warning,
    summary: "a comment that allows something and does not say why",
    explanation: "Whoever reads the workflow next must be able to tell whether the reason still holds: `# pop: allow(rule) reason`.",
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
    RULE.at(span, "this allow has no reason")
        .label("say why")
        .help("write it after the bracket: `allow(rule) reason`")
}
