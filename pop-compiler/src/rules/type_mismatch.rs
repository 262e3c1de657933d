//! `type-mismatch`: a value of the wrong type.

use super::{Given, Rule, Target};
use crate::diagnostic::{Diagnostic, Edit, Severity};
use crate::source::{Span, Spanned};
use crate::suggest;
use crate::types::Mismatch;

pub(crate) const RULE: Rule = Rule {
    id: "type-mismatch",
    severity: Severity::Error,
    summary: "a value of the wrong type",
    explanation: "A value must have the declared type. `int` fits `float`. A record fits another record that has fewer fields. POP converts no other types. The finding \
shows a possible value that the target would reject.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = "tall" }
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = 720 }
"#,
    absence: false,
    allowable: true,
};

/// `target` rejects some value of `given`.
pub(crate) fn report(
    given: &Given<'_>,
    target: &Target<'_>,
    mismatch: &Mismatch,
    edits: Option<Vec<Edit>>,
) -> Diagnostic {
    let path = &mismatch.path;
    let message = match &mismatch.witness {
        Some(witness) => format!(
            "{} may give `{}`, which {} rejects",
            given.at(path),
            super::shorten(&witness.to_string()),
            target.at(path, &mismatch.expected)
        ),
        None => format!(
            "{} has no `{}`, which {} needs",
            given.at(""),
            path.trim_start_matches('.'),
            target.at("", target.ty)
        ),
    };
    let finding =
        RULE.at(given.span, message).label(format!("type `{}`", super::shorten(&given.ty.to_string())));
    let finding =
        if edits.is_some() { finding.help("put the reference in a list: `[\"${…}\"]`") } else { finding };
    super::valued(target.place(finding), edits)
}

/// A literal value of the wrong type.
pub(crate) fn literal(shown: &str, span: Span, target: &Target<'_>, edits: Option<Vec<Edit>>) -> Diagnostic {
    let finding = RULE
        .at(span, format!("{} does not accept `{}`", target.at("", target.ty), super::shorten(shown)))
        .label(format!("expected `{}`", super::shorten(&target.ty.to_string())));
    super::valued(target.place(finding), edits)
}

/// A text that is a reference without its `${…}`.
pub(crate) fn bare(text: &str, right: &str, span: Span, target: &Target<'_>) -> Diagnostic {
    let finding = RULE
        .at(span, format!("{} does not accept `{}`", target.at("", target.ty), super::shorten(text)))
        .label("a text, not a reference")
        .help(format!("write `{right}`"))
        .rename(span, text, right);
    target.place(finding)
}

/// A literal outside of a few valid words.
pub(crate) fn word(
    text: &str,
    span: Span,
    target: &Target<'_>,
    known: &[&str],
    edits: Option<Vec<Edit>>,
) -> Diagnostic {
    let finding =
        RULE.at(span, format!("{} does not accept `{}`", target.at("", target.ty), super::shorten(text)));
    let finding = match suggest::nearest_word(text, known.iter().copied()) {
        Some(near) => super::meant(finding, &Spanned::new(text.to_owned(), span), near),
        None => super::valued(finding, edits)
            .label(format!("expected `{}`", super::shorten(&target.ty.to_string()))),
    };
    target.place(finding)
}
