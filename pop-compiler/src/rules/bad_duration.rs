//! `bad-duration`: an invalid duration.

use super::Rule;
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::source::Spanned;
use crate::units;

pub(crate) const RULE: Rule = Rule {
    id: "bad-duration",
    severity: Severity::Error,
    summary: "an invalid duration",
    explanation: "Durations are numbers with units: `500ms`, `90s`, `1h30m`, `2d`. A backoff may be a range: `10s..5m`. A timeout or a deadline of zero is invalid, \
because no operation could run.",
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

/// `text` is not a duration; `why` is the whole message.
pub(crate) fn report(text: &Spanned<String>, why: &str) -> Diagnostic {
    let finding = RULE.at(text.span, why).label("not a duration");
    super::written(finding, text, units::duration(&text.value))
}

/// `text` is not a range of durations; `why` is the whole message.
pub(crate) fn range(text: &Spanned<String>, why: &str) -> Diagnostic {
    let finding = RULE.at(text.span, why).label("not a duration");
    super::written(finding, text, units::range(&text.value))
}

/// A number without a unit: probably seconds, but other tools count minutes or milliseconds.
pub(crate) fn without_unit(text: &Spanned<String>) -> Diagnostic {
    RULE.at(text.span, format!("the duration `{}` has no unit", text.value))
        .label("seconds?")
        .help(format!("for seconds write `\"{}s\"`", text.value))
}

/// A timeout or a deadline of zero.
pub(crate) fn zero(at: impl Into<Location>, what: &str) -> Diagnostic {
    RULE.at(at, format!("{what} is zero, so no operation could run"))
        .label("zero")
        .help("omit the key for no limit")
}

/// A range of delays from zero: each delay is twice the one before, so all are zero.
pub(crate) fn from_zero(text: &Spanned<String>) -> Diagnostic {
    RULE.at(text.span, format!("invalid backoff `{}`: a range from zero never grows", text.value))
        .label("starts at zero")
        .help("start above zero, such as `1s..5m`; `0s` alone retries at once")
}

/// As [`report`], for a text at any place.
pub(crate) fn at(at: Location, text: &str, why: &str) -> Diagnostic {
    let finding = RULE.at(at.clone(), why).label("not a duration");
    super::written_at(finding, at, text, units::duration(text))
}
