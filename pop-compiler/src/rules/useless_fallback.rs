//! `useless-fallback`: `??` after a value that is always present.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "useless-fallback",
    severity: Severity::Warning,
    summary: "`??` after a value that is always present",
    explanation: "The default after `??` replaces a value that is null or absent, or an output that does not exist. A required input, or an input with a default, is \
always present. Remove the `??`, or make the type optional (`string?`) if the value may be absent.",
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
    RULE.at(span, format!("useless `??`: `{of}` is always present, as `{}`", super::shorten(&ty.to_string())))
        .label("never used")
        .help("remove `??` and the default after it")
}
