//! `optional-in-text`: a value that may be absent inside a text.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "optional-in-text",
    severity: Severity::Warning,
    summary: "a value that may be absent inside a text",
    explanation: "An absent value becomes `null` in the text, which is rarely intended. Write a replacement after `??`: `${probe.title ?? 'untitled'}`.",
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
    RULE.at(span, format!("{of} may be absent, and the text would contain `null`"))
        .label("has no default")
        .help("write a replacement: `${… ?? 'text'}`")
}
