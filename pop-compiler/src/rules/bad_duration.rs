//! `bad-duration`: a text that is not a duration.

use super::Rule;
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::source::Spanned;
use crate::units;

pub(crate) const RULE: Rule = Rule {
    id: "bad-duration",
    severity: Severity::Error,
    summary: "a text that is not a duration",
    explanation: "Durations are numbers with units: `500ms`, `90s`, `1h30m`, `2d`. A backoff may be a range: `10s..5m`. No time at all is no timeout and no deadline: nothing could \
run in it.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
timeout = "2 hours"
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
timeout = "2h"
"#,
    absence: false,
    allowable: false,
};

/// `text` is not a duration, and `why`.
pub(crate) fn report(text: &Spanned<String>, why: &str) -> Diagnostic {
    let finding = RULE.at(text.span, format!("bad duration: {why}")).label("not a duration");
    super::written(finding, text, units::duration(&text.value))
}

/// `text` is not a range of durations, and `why`.
pub(crate) fn range(text: &Spanned<String>, why: &str) -> Diagnostic {
    let finding = RULE.at(text.span, format!("bad duration: {why}")).label("not a duration");
    super::written(finding, text, units::range(&text.value))
}

/// A number alone: most likely seconds, but other tools count minutes or milliseconds.
pub(crate) fn without_unit(text: &Spanned<String>) -> Diagnostic {
    RULE.at(text.span, format!("the duration `{}` has no unit", text.value))
        .label("seconds?")
        .help(format!("for seconds write `\"{}s\"`", text.value))
}

/// A timeout or a deadline of no length.
pub(crate) fn zero(at: impl Into<Location>, what: &str) -> Diagnostic {
    RULE.at(at, format!("{what} is zero: it would be over before anything runs"))
        .label("no time at all")
        .help("leave it out for no limit")
}

/// A range of delays that begins at zero: each delay is twice the one before.
pub(crate) fn from_zero(text: &Spanned<String>) -> Diagnostic {
    RULE.at(text.span, format!("bad duration: `{}` never grows, as twice zero is zero", text.value))
        .label("begins at zero")
        .help("begin with a little, such as `1s..5m`; `0s` alone tries again at once")
}
