//! `cycle`: operations that wait for each other.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "cycle",
    severity: Severity::Error,
    summary: "operations that wait for each other",
    explanation: "References and `after` order the operations. When the order forms a cycle, no operation of the cycle can start.",
    bad: r#"[workflow]
name = "example"

[operations.a]
uses = "pop.sleep"
with = { output = "${b.x}" }

[operations.b]
uses = "pop.sleep"
after = "a"
"#,
    good: r#"[workflow]
name = "example"

[operations.a]
uses = "pop.sleep"

[operations.b]
uses = "pop.sleep"
after = "a"
"#,
    absence: false,
    allowable: false,
};

/// `path` is the cycle: each operation with the place of its reference to the next one.
pub(crate) fn report(path: &[(&str, Span)]) -> Diagnostic {
    let mut names: Vec<&str> = path.iter().map(|(name, _)| *name).collect();
    names.extend(path.first().map(|(name, _)| *name));
    let shown = if names.len() > 12 {
        format!(
            "{} → … ({} more) → {}",
            names[..8].join(" → "),
            names.len() - 10,
            names[names.len() - 2..].join(" → ")
        )
    } else {
        names.join(" → ")
    };
    let first = path.first().map(|(_, span)| *span).unwrap_or_default();
    let mut finding = RULE.at(first, format!("operations wait for each other: {shown}"));
    for (i, (name, span)) in path.iter().take(8).enumerate() {
        let text = format!("`{name}` waits for `{}`", names[i + 1]);
        finding = if i == 0 { finding.label(text) } else { finding.also(*span, text) };
    }
    finding
}
