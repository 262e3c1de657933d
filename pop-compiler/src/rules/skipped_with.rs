//! `skipped-with`: an operation is skipped for want of an input that it declares optional.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "skipped-with",
    severity: Severity::Warning,
    summary: "an operation is skipped for want of an optional input",
    explanation: "An operation that reads the output of another one is skipped with it. Here the input is optional, so the operation could do without, but nothing says so. \
Write `?? null` (or another default) behind the reference if it may do without; give the operation a `when` of its own if it is meant to be skipped.",
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

/// `reader` gives `input`, which is optional, what `other` puts out, which may be skipped. The reference ends at `end`, its
/// bracket included.
pub(crate) fn report(span: Span, reader: &str, input: &str, other: &str) -> Diagnostic {
    let message =
        format!("`{reader}` is skipped when `{other}` is, although its input `{input}` is optional");
    let behind = Span { start: span.end - 1, end: span.end - 1, ..span };
    RULE.at(span, message)
        .label(format!("`{other}` may be skipped"))
        .help(format!("write `?? null` if `{reader}` may do without, or give it a `when` of its own"))
        .edit(behind, " ?? null")
}
