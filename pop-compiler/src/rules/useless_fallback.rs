//! `useless-fallback`: `??` behind what is always there.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "useless-fallback",
    severity: Severity::Warning,
    summary: "`??` behind a value that is always there",
    explanation: "What stands behind `??` is used where a value is null or absent, or where there is no output. An input that is not optional, or has a default, is always there. Drop it, or \
make the type optional (`string?`) if the value may be absent after all.",
    bad: r#"[workflow]
name = "example"

[inputs]
title = "string"

[operations.say]
uses = "pop.log"
with = { message = "Ladder of ${inputs.title ?? 'something'}" }
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

/// `of` is never null.
pub(crate) fn report(span: Span, of: &str, ty: &Type) -> Diagnostic {
    RULE.at(span, format!("`{of}` is always there: it is `{}`", super::shorten(&ty.to_string())))
        .label("never used")
        .help("drop `??` and what is behind it")
}
