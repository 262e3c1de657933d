//! `unknown-output`: a reference to an unknown operation.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expr::{Reference, Segment, write_name};
use crate::source::{Span, Spanned};
use crate::suggest::{self, Near};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-output",
    severity: Severity::Error,
    summary: "a reference to an unknown operation",
    explanation: "`${name…}` stands for the output of the operation `name` of the same workflow.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
with = { output = "${prob.title}" }
"#,
    good: r#"[workflow]
name = "example"

[operations.probe]
uses = "pop.sleep"

[operations.wait]
uses = "pop.sleep"
with = { output = "${probe.title}" }
"#,
    absence: true,
    allowable: false,
};

/// A reference to the output of an unknown operation, with a suggestion.
pub(crate) fn report(name: &Spanned<String>, near: Option<Near<'_>>, is_input: bool) -> Diagnostic {
    let finding =
        RULE.at(name.span, format!("unknown operation `{}` in a reference to an output", name.value));
    if is_input {
        let replacement = format!("inputs.{}", name.value);
        let help = format!("`{}` is an input; write `${{{replacement}}}`", name.value);
        let finding = finding.label("no operation has this name").help(help);
        return if name.span.range().len() == name.value.len() {
            finding.edit(name.span, replacement)
        } else {
            finding
        };
    }
    match near {
        Some(near) => super::meant(finding, name, near),
        None => finding.label("no operation has this name"),
    }
}

/// `steps.probe`: the operation `field` after a prefix of other languages.
pub(crate) fn prefix(name: &Spanned<String>, field: &str, span: Span) -> Diagnostic {
    RULE.at(name.span, format!("unknown operation `{}` in a reference to an output", name.value))
        .label("a reference begins with the name of the operation")
        .help(format!("write `${{{field}}}`"))
        .edit(Span { end: span.start, ..name.span }, "")
}

/// `load.data.rows`, where `load.data` is an operation: the name and the first `steps` of the path are its name.
pub(crate) fn dotted(name: &Spanned<String>, reference: &Reference, steps: usize) -> Diagnostic {
    let path = &reference.path[..steps.min(reference.path.len())];
    let fields = path.iter().filter_map(|step| match &step.value {
        Segment::Field(field) => Some(field.as_str()),
        _ => None,
    });
    let full = std::iter::once(name.value.as_str()).chain(fields).collect::<Vec<_>>().join(".");
    let written = write_name(&full);
    let span = path.last().map_or(name.span, |last| name.span.to(last.span));
    let finding = RULE
        .at(name.span, format!("unknown operation `{}` in a reference to an output", name.value))
        .label("no operation has this name")
        .help(format!("the name of `{full}` has a dot, so write `${{{written}}}`"));
    // brackets and quotes would need another form
    if span.range().len() == full.len() { finding.edit(span, written) } else { finding }
}

/// `params.url`: a word of other languages for `inputs` or `each`.
pub(crate) fn root(name: &Spanned<String>, ours: &str) -> Diagnostic {
    let finding =
        RULE.at(name.span, format!("unknown operation `{}` in a reference to an output", name.value));
    super::meant(finding, name, ours)
}

/// An index beyond the items of the fan-out.
pub(crate) fn index(span: Span, name: &str, items: usize, each: Span) -> Diagnostic {
    let has = if items == 1 { "1 item".to_owned() } else { format!("{items} items") };
    RULE.at(span, format!("index out of range: the fan-out of `{name}` has {has}"))
        .label("counted from 0")
        .also(each, "this list")
}

/// A native token with an unknown name.
pub(crate) fn native<'n>(span: Span, name: &str, known: impl IntoIterator<Item = &'n str>) -> Diagnostic {
    let finding = RULE.at(span, format!("unknown name `{name}` in a reference"));
    match suggest::closest(name, known) {
        Some(near) => finding.help(format!("did you mean `@<{near}>`?")),
        None => finding.help("write `\\@<` for the text itself"),
    }
}
