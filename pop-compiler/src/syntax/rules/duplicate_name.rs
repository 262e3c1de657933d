//! `duplicate-name`: a name that is already taken.

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "duplicate-name",
    severity: Severity::Error,
    summary: "a name that is already taken",
    explanation: "A key may appear once. Names of operations, inputs and outputs must also differ in more than letter case.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"

[operations.Wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"

[operations.wait_again]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: false,
};

/// A key that its table already has.
pub(crate) fn key(key: &Spanned<String>, first: Span) -> Diagnostic {
    RULE.at(key.span, format!("`{}` is defined twice", key.value))
        .label("defined again here")
        .also(first, "first defined here")
        .drop_twin(key.span, first)
}

/// A name that differs from an earlier one only in letter case.
pub(crate) fn case(name: &Spanned<String>, first: Span) -> Diagnostic {
    RULE.at(name.span, format!("the name `{}` is already taken", name.value))
        .label("names must differ in more than letter case")
        .also(first, "first used here")
}

/// A name that a fan-out gives to one of its own operations.
pub(crate) fn of_fan_out(name: &Spanned<String>, fan_out: &Spanned<String>) -> Diagnostic {
    RULE.at(name.span, format!("the name `{}` belongs to the fan-out of `{}`", name.value, fan_out.value))
        .label("taken by the fan-out")
        .also(fan_out.span, "the fan-out names its operations by item, from 0, and perhaps `.each`")
}
