//! `tiny-memory`: less memory than any program needs.

use super::Rule;
use crate::diagnostic::{Diagnostic, Location, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "tiny-memory",
    severity: Severity::Warning,
    summary: "less memory than any program needs",
    explanation: "As in Kubernetes, a quantity without a unit is a number of bytes, and `m` means thousandths. `512m` of memory is one byte. Write `512Mi` for \
mebibytes.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
resources = { memory = "512m" }
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
resources = { memory = "512Mi" }
"#,
    absence: false,
    allowable: true,
};

/// Smallest plausible memory, in bytes.
const LEAST: u64 = 1024;

/// The finding about a quantity of memory, if it is too small.
pub(crate) fn report(at: impl Into<Location>, text: &str, bytes: u64) -> Option<Diagnostic> {
    if bytes >= LEAST {
        return None;
    }
    let number = text.trim_end_matches('m');
    let what = if number.len() < text.len() { ": `m` means thousandths" } else { "" };
    let finding = RULE.at(at, format!("memory `{text}` means {bytes} bytes{what}"));
    Some(finding.help(format!("did you mean `\"{number}Mi\"`?")))
}
