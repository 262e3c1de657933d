//! `missing-key`: a missing key.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "missing-key",
    severity: Severity::Error,
    summary: "a missing key",
    explanation: "A workflow needs `[workflow]` with a `name`; an operation needs `uses`; an input written as a table needs `type`.",
    bad: r#"[workflow]
version = "1.0.0"

[operations.wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: true,
    allowable: false,
};

/// `of` lacks `key`.
pub(crate) fn report(span: Span, of: &str, key: &str, example: &str) -> Diagnostic {
    RULE.at(span, format!("{of} has no `{key}`"))
        .label(format!("missing `{key}`"))
        .help(format!("add `{example}`"))
}

/// An input without a type, whose default has type `ty`. `first` is the key of its first entry, if an edit can be
/// certain.
pub(crate) fn type_of_input(span: Span, of: &str, ty: &str, first: Option<Span>) -> Diagnostic {
    let finding = report(span, of, "type", &format!("type = \"{ty}\""));
    match first {
        Some(first) => finding.add_entry(first, "type", &format!("\"{ty}\"")),
        None => finding,
    }
}
