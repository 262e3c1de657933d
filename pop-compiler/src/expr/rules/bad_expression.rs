//! `bad-expression`: a `${…}` that can't be read, or is not possible here.

use crate::diagnostic::{Diagnostic, Rule, Severity, shorten};
use crate::expr::habits::Habit;
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "bad-expression",
    severity: Severity::Error,
    summary: "a `${…}` that can't be read, or is not possible here",
    explanation: "References look like `${probe.duration}`, `${encode[0].file}`, `${encode[*].file}`, `${inputs.source}`, `${['odd name'].field}` or \
`${probe.title ?? 'untitled'}`. A literal `${` is written `$${`. There are no comparisons, `!`, `&&`, functions or arithmetic in them: an operation gives \
the value, and what needs it refers to its output.",
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

/// What is wrong, and where.
pub(crate) fn report(span: Span, message: impl Into<String>, label: &str) -> Diagnostic {
    RULE.at(span, message).label(label)
}

/// What other languages have, and what to do instead. `place` is where there is no such thing.
pub(crate) fn habit(span: Span, habit: Habit, shown: &str, place: &str) -> Diagnostic {
    const CONDITION: &str =
        "let an operation give the `bool` and refer to its output, as `popc explain bad-expression` shows";
    const VALUE: &str =
        "let an operation give the value and refer to its output, as `popc explain bad-expression` shows";
    let (message, label, help) = match habit {
        Habit::Comparison => (
            format!("there are no comparisons in {place}"),
            format!("`{shown}` compares nothing here"),
            CONDITION,
        ),
        Habit::Logic => {
            (format!("there is no `{shown}` in {place}"), "conditions can't be joined here".into(), CONDITION)
        }
        Habit::Not => {
            (format!("there is no `{shown}` in {place}"), "nothing can be negated here".into(), CONDITION)
        }
        Habit::Choice => (
            format!("there is no choice between values in {place}"),
            format!("`{shown}` chooses nothing here"),
            VALUE,
        ),
        Habit::Function => (
            format!("there are no functions in {place}"),
            format!("`{}` can't be called here", shorten(shown)),
            if place == WHEN { CONDITION } else { VALUE },
        ),
        Habit::Arithmetic => (
            format!("there is no arithmetic in {place}"),
            format!("`{shown}` calculates nothing here"),
            VALUE,
        ),
        Habit::Filter => {
            (format!("there are no filters in {place}"), "nothing can be piped here".into(), VALUE)
        }
        Habit::ReferenceAsDefault => (
            "a default behind `??` is a literal, not a reference".into(),
            "expected text in single quotes, a number, true, false, null, [] or {}".into(),
            "hand both values to the operation, the first as an optional input, and let it choose",
        ),
        Habit::SecondDefault => (
            "a reference has one default".into(),
            "a second `??`".into(),
            "hand both values to the operation, the first as an optional input, and let it choose",
        ),
        Habit::Parentheses => (
            format!("there are no parentheses in {place}"),
            "groups nothing here".into(),
            "write the reference alone",
        ),
        Habit::Optional => (
            format!("there is no `?` behind a name in {place}"),
            "not needed here".into(),
            "what may be absent is `null` without it",
        ),
        Habit::Shell => (
            format!("a shell's `{shown}` means nothing in {place}"),
            "not possible in a reference".into(),
            "write `$${` for a literal `${`",
        ),
    };
    RULE.at(span, message).label(label).help(help)
}

/// How messages call the place of a condition.
pub(crate) const WHEN: &str = "`when`";

/// `${each}` where nothing is fanned out.
pub(crate) fn each_outside(span: Span) -> Diagnostic {
    RULE.at(span, "`each` only means something in an operation with `each`").label("not inside a fan-out")
}

/// A reference in a command that whoever runs it would not read.
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

/// What other languages have, in a reference of a command. There, an input that is a `bool` or a text is given.
pub(crate) fn habit_in_command(span: Span, shown: &str) -> Diagnostic {
    RULE.at(span, "a reference in a command is a path and nothing more")
        .label(format!("`{shown}` means nothing here"))
        .help("let the workflow hand over the value that the command needs")
}

/// A reference where a text is taken as it is.
pub(crate) fn not_here(span: Span, what: &str) -> Diagnostic {
    RULE.at(span, format!("{what} is taken as it is written: a reference in it is not replaced"))
        .label("no reference is possible here")
}
