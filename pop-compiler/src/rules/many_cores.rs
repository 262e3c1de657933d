//! `many-cores`: more cores than a machine has.

use super::Rule;
use crate::diagnostic::{Diagnostic, Location, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "many-cores",
    severity: Severity::Warning,
    summary: "more cores than a machine has",
    explanation: "As in Kubernetes, `cpu` without a unit is a number of cores, and `m` means thousandths. `500` is five hundred cores, and `500m` is half a core.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
resources = { cpu = "500" }
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
resources = { cpu = "500m" }
"#,
    absence: false,
    allowable: true,
};

/// From so many cores on, in thousandths, it is a mistake if it is a round number: large machines have 224 or 448.
const MANY: u64 = 200_000;

/// Thousandths are written in steps of this many.
const ROUND: u64 = 50_000;

/// What is to be said of a number of cores, when it was probably meant in thousandths.
pub(crate) fn report(at: impl Into<Location>, text: &str, millis: u64) -> Option<Diagnostic> {
    if millis < MANY || !millis.is_multiple_of(ROUND) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (at, meant) = (at.into(), format!("{text}m"));
    let finding = RULE
        .at(at.clone(), format!("cpu `{text}` means {text} cores"))
        .help(format!("did you mean `{meant}`?"));
    Some(match at {
        Location::Span(span) => finding.rename(span, text, &meant),
        Location::Pointer(_) => finding,
    })
}
