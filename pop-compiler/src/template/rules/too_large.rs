//! `too-large`: fan-outs beyond the limit of a server.

use crate::diagnostic::{Diagnostic, Location, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "too-large",
    severity: Severity::Error,
    summary: "fan-outs beyond the limit of a server",
    explanation: "A fan-out makes one operation for each item, and `${name[*]}` makes one reference to each of them. Where every item of one fan-out uses all items of \
another, the numbers multiply. Let one operation collect the list, and refer to its output.",
    bad: r#"[workflow]
name = "example"

[operations.one]
uses = "pop.transform"
each = [(1500 items)]
with = { value = "${each}" }

[operations.all]
uses = "pop.transform"
each = [(1500 items)]
with = { value = ["${each}", "${one[*]}"] }
"#,
    good: r#"[workflow]
name = "example"

[operations.one]
uses = "pop.transform"
each = [(1500 items)]
with = { value = "${each}" }

[operations.list]
uses = "pop.transform"
with = { value = "${one[*]}" }

[operations.all]
uses = "pop.transform"
each = [(1500 items)]
with = { value = ["${each}", "${list}"] }
"#,
    absence: false,
    allowable: false,
};

/// Fan-outs beyond the limit of `most`.
pub(crate) fn report(at: impl Into<Location>, most: usize) -> Diagnostic {
    RULE.at(at, format!("fan-outs make more than {most} operations and references in all"))
        .help("let one operation collect the list, and refer to its output")
}
