//! `skipped-with`: an operation that skips for lack of an optional input.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "skipped-with",
    severity: Severity::Warning,
    summary: "an operation that skips for lack of an optional input",
    explanation: "An operation that reads the output of a skipped operation is skipped, too. Here the input is optional, so the operation could run without the value. \
Write `?? null` (or another default) after the reference to run the operation anyway. Give the operation its own `when` if the skip is intended.",
    bad: r#"[workflow]
name = "example"

[inputs]
subtitles = "bool"

[catalog."media.subtitle"]
output = { file = "path" }

[catalog."media.mux"]
input = { video = "path", subtitles = "path?" }

[operations.subtitle]
uses = "media.subtitle"
when = "${inputs.subtitles}"

[operations.mux]
uses = "media.mux"
with = { video = "clip.mp4", subtitles = "${subtitle.file}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
subtitles = "bool"

[catalog."media.subtitle"]
output = { file = "path" }

[catalog."media.mux"]
input = { video = "path", subtitles = "path?" }

[operations.subtitle]
uses = "media.subtitle"
when = "${inputs.subtitles}"

[operations.mux]
uses = "media.mux"
with = { video = "clip.mp4", subtitles = "${subtitle.file ?? null}" }
"#,
    absence: false,
    allowable: true,
};

/// `reader` gets its optional `input` from `other`, which may be skipped. The reference ends at `end`, including its
/// bracket.
pub(crate) fn report(span: Span, reader: &str, input: &str, other: &str) -> Diagnostic {
    let message =
        format!("`{reader}` is skipped when `{other}` is, although its input `{input}` is optional");
    let behind = Span { start: span.end - 1, end: span.end - 1, ..span };
    RULE.at(span, message)
        .label(format!("`{other}` may be skipped"))
        .help(format!(
            "write `?? null` if `{reader}` can run without the value, or give `{reader}` its own `when`"
        ))
        .edit(behind, " ?? null")
}
