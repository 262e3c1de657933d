//! `foreign-reference`: a placeholder of another language for a known value.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "foreign-reference",
    severity: Severity::Warning,
    summary: "a placeholder of another language for a known value",
    explanation: "POP replaces only `${…}`. `{{ inputs.x }}`, `$(params.x)`, `~{x}`, `$inputs.x` and `{x}` are plain texts and reach the program unchanged. The rule \
reports a placeholder only if it names an input, an operation's output, or an input of the operation type in its command. If the text is meant for another tool, allow \
the finding with a comment.",
    bad: r#"[workflow]
name = "example"

[inputs]
region = "string"

[operations.say]
uses = "pop.log"
with = { message = "in {{ inputs.region }}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
region = "string"

[operations.say]
uses = "pop.log"
with = { message = "in ${inputs.region}" }
"#,
    absence: false,
    allowable: true,
};

/// `shown` is `right` in POP's form; `certain` if the fix may replace it.
pub(crate) fn report(span: Span, shown: &str, right: &str, certain: bool) -> Diagnostic {
    let finding = RULE
        .at(span, format!("`{}` is not replaced", super::shorten(shown)))
        .label("a placeholder of another language")
        .help(format!("write `{right}`"));
    if certain { finding.edit(span, right) } else { finding }
}
