//! `bad-expression`: a `${…}` that can't be read, or is not possible here.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "bad-expression",
    severity: Severity::Error,
    summary: "a `${…}` that can't be read, or is not possible here",
    explanation: "References look like `${probe.duration}`, `${encode[0].file}`, `${encode[*].file}`, `${inputs.source}`, `${['odd name'].field}` or \
`${probe.title ?? 'untitled'}`. A literal `${` is written `$${`.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs." }
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
with = { output = "$${inputs." }
"#,
    absence: false,
};

/// What is wrong, and where.
pub(crate) fn report(span: Span, message: impl Into<String>, label: &str) -> Diagnostic {
    RULE.at(span, message).label(label)
}

/// `${each}` where nothing is fanned out.
pub(crate) fn each_outside(span: Span) -> Diagnostic {
    RULE.at(span, "`each` only means something in an operation with `each`").label("not inside a fan-out")
}

/// A reference in a command that whoever runs it would not read.
pub(crate) fn in_command(operation: &Spanned<String>, text: &str) -> Diagnostic {
    let shown = super::shorten(text);
    RULE.at(operation.span, format!("`{shown}` in the command of `{}` is not replaced", operation.value))
        .label("its command")
        .help("a command takes `${with.NAME}` and `${with.NAME.FIELD}`; `$${with.` is a literal `${with.`")
}

/// A reference where a text is taken as it is.
pub(crate) fn not_here(span: Span, what: &str) -> Diagnostic {
    RULE.at(span, format!("{what} is taken as it is written: a reference in it is not replaced"))
        .label("no reference is possible here")
}
