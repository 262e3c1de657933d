//! `optional-in-text`: a value that may be absent is written into a longer text.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "optional-in-text",
    severity: Severity::Warning,
    summary: "a value that may be absent is written into a text",
    explanation: "Where the value is absent, the text says `null` in its place, which is hardly ever what is meant. Say with `??` what stands there instead: \
`${probe.title ?? 'untitled'}`.",
    bad: r#"[workflow]
name = "example"

[inputs]
title = "string?"

[operations.say]
uses = "pop.log"
with = { message = "Ladder of ${inputs.title}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
title = "string?"

[operations.say]
uses = "pop.log"
with = { message = "Ladder of ${inputs.title ?? 'something'}" }
"#,
    absence: false,
    allowable: true,
};

/// `of` may be null.
pub(crate) fn report(span: Span, of: &str) -> Diagnostic {
    RULE.at(span, format!("{of} may be absent, and then the text says `null`"))
        .label("has no default")
        .help("say what stands there instead: `${… ?? 'text'}`")
}
