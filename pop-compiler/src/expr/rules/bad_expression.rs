//! `bad-expression`: an invalid or unsupported `${…}`.

use crate::diagnostic::{Diagnostic, Rule, Severity, shorten};
use crate::expr::habits::Habit;
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "bad-expression",
    severity: Severity::Error,
    summary: "an invalid or unsupported `${…}`",
    explanation: "References look like `${probe.duration}`, `${encode[0].file}`, `${encode[*].file}`, `${inputs.source}`, `${['odd name'].field}` or `${probe.title ?? \
'untitled'}`. A literal `${` is written `$${`. References support no comparisons, `!`, `&&`, functions or arithmetic. Let an operation compute the value, and refer to \
its output.",
    bad: r#"[workflow]
name = "example"

[inputs]
mode = "string"

[operations.wait]
uses = "pop.sleep"
when = "${inputs.mode == 'slow'}"
"#,
    good: r#"[workflow]
name = "example"

[inputs]
mode = "string"

[catalog."mode.check"]
input = { mode = "string" }
output = { slow = "bool" }
command = ["jq", "-n", "--arg", "mode", "${with.mode}", "{ slow: ($mode == \"slow\") }"]
stdout = "json"

[operations.check]
uses = "mode.check"
with = { mode = "${inputs.mode}" }

[operations.wait]
uses = "pop.sleep"
when = "${check.slow}"
"#,
    absence: false,
    allowable: false,
};

/// A finding with this message.
pub(crate) fn report(span: Span, message: impl Into<String>, label: &str) -> Diagnostic {
    RULE.at(span, message).label(label)
}

/// Syntax of other languages, and POP's alternative. `place` is the unsupporting place.
pub(crate) fn habit(span: Span, habit: Habit, shown: &str, place: &str) -> Diagnostic {
    const CONDITION: &str =
        "let an operation compute the `bool` and refer to its output, as `popc explain bad-expression` shows";
    const VALUE: &str =
        "let an operation compute the value and refer to its output, as `popc explain bad-expression` shows";
    let (message, label, help) = match habit {
        Habit::Comparison => (
            format!("comparisons are not supported in {place}"),
            format!("unsupported comparison `{shown}`"),
            CONDITION,
        ),
        Habit::Logic => (
            format!("`{shown}` is not supported in {place}"),
            "conditions cannot be joined".into(),
            CONDITION,
        ),
        Habit::Not => (
            format!("`{shown}` is not supported in {place}"),
            "conditions cannot be negated".into(),
            CONDITION,
        ),
        Habit::Choice => (
            format!("choices between values are not supported in {place}"),
            format!("unsupported choice `{shown}`"),
            VALUE,
        ),
        Habit::Function => (
            format!("functions are not supported in {place}"),
            format!("unsupported function `{}`", shorten(shown)),
            if place == WHEN { CONDITION } else { VALUE },
        ),
        Habit::Arithmetic => (
            format!("arithmetic is not supported in {place}"),
            format!("unsupported operator `{shown}`"),
            VALUE,
        ),
        Habit::Filter => {
            (format!("filters are not supported in {place}"), "values cannot be piped".into(), VALUE)
        }
        Habit::ReferenceAsDefault => (
            "a default after `??` must be a literal, not a reference".into(),
            "expected text in single quotes, a number, true, false, null, [] or {}".into(),
            "pass both values to the operation, the first as an optional input, and choose there",
        ),
        Habit::SecondDefault => (
            "a reference cannot have two defaults".into(),
            "a second `??`".into(),
            "pass both values to the operation, the first as an optional input, and choose there",
        ),
        Habit::Parentheses => (
            format!("parentheses are not supported in {place}"),
            "unsupported parentheses".into(),
            "write the reference alone",
        ),
        Habit::Optional => (
            format!("`?` after a name is not supported in {place}"),
            "not needed here".into(),
            "an absent value is `null` even without `?`",
        ),
        Habit::Shell => (
            format!("shell syntax `{shown}` is not supported in {place}"),
            "not possible in a reference".into(),
            "write `$${` for a literal `${`",
        ),
    };
    RULE.at(span, message).label(label).help(help)
}

/// Name of a condition's place in messages.
pub(crate) const WHEN: &str = "`when`";

/// `${each}` outside of a fan-out.
pub(crate) fn each_outside(span: Span) -> Diagnostic {
    RULE.at(span, "`each` is available only in an operation with `each`").label("not inside a fan-out")
}

/// A reference in a command that the runner of the command does not support.
pub(crate) fn in_command(span: Span, text: &str, right: Option<String>) -> Diagnostic {
    let shown = shorten(text);
    let finding =
        RULE.at(span, format!("`{shown}` in a command is not replaced")).label("not a reference here");
    match right {
        Some(right) => finding.help(format!("write `{right}`")).edit(span, right),
        None => finding.help(
            "a command takes `${with.NAME}` and `${with.NAME.FIELD}`; `$${with.` is a literal `${with.`",
        ),
    }
}

/// Syntax of other languages in a command's reference.
pub(crate) fn habit_in_command(span: Span, shown: &str) -> Diagnostic {
    RULE.at(span, "invalid reference in a command: only a path is supported")
        .label(format!("`{shown}` is not supported here"))
        .help("pass the value that the command needs as an input")
}

/// A reference in a text without support for references.
pub(crate) fn not_here(span: Span, what: &str) -> Diagnostic {
    RULE.at(span, format!("{what} does not support references: the text stays as written"))
        .label("unsupported reference")
}
