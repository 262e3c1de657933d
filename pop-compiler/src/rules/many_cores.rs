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

/// Smallest suspicious number of cores, in thousandths. Large machines have 224 or 448 cores, so only round numbers are
/// suspicious.
const MANY: u64 = 200_000;

/// Step of round numbers, in thousandths.
const ROUND: u64 = 50_000;

/// The finding about a number of cores that was probably intended in thousandths.
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
