//! `bad-sleep`: a `pop.sleep` with an invalid length.

use super::Rule;
use crate::ast::{Value, ValueKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{Model, Operation};

pub(crate) const RULE: Rule = Rule {
    id: "bad-sleep",
    severity: Severity::Error,
    summary: "a `pop.sleep` with an invalid length",
    explanation: "`pop.sleep` waits for `duration` (`\"10s\"`, or a number of seconds) or for `seconds`. Use at most one of them, and no negative length. With neither, \
the operation does not wait. Such an operation passes its `output` on, or is a point for others to wait for.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
with = { seconds = -1 }
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
with = { seconds = 1 }
"#,
    absence: false,
    allowable: false,
};

/// Checks literal lengths.
pub(crate) fn check(model: &Model<'_>, operation: &Operation<'_>, out: &mut Vec<Diagnostic>) {
    let sleeps = operation.kind.is_some_and(|kind| kind.passes.is_some() && &*kind.name == "pop.sleep");
    let Some(Value { kind: ValueKind::Record(fields), .. }) = operation.ast.with.as_ref().filter(|_| sleeps)
    else {
        return;
    };
    let field = |name: &str| fields.iter().find(|field| field.name.value == name);
    let (seconds, duration) = (field("seconds"), field("duration"));
    for length in [seconds, duration].into_iter().flatten() {
        if let ValueKind::Number(number) = &length.value.kind
            && number.as_f64().is_some_and(|seconds| seconds < 0.0)
        {
            out.push(
                RULE.at(length.value.span, format!("invalid length of {number} seconds: use 0 or more"))
                    .label("below zero"),
            );
        }
    }
    // a reference may turn out to be null
    let given = |value: &Value| match &value.kind {
        ValueKind::Null | ValueKind::Error => false,
        ValueKind::Text(template) => template.as_reference().is_none_or(|reference| {
            let ty = model.references.get(reference.id as usize);
            ty.is_some_and(|ty| !model.types().accepts_null(ty))
        }),
        _ => true,
    };
    if let (Some(seconds), Some(duration)) = (seconds, duration)
        && given(&seconds.value)
        && given(&duration.value)
    {
        out.push(
            RULE.at(duration.name.span, "`pop.sleep` takes `seconds` or `duration`, not both")
                .label("one too many")
                .also(seconds.name.span, "the other length"),
        );
    }
}
