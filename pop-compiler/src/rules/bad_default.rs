//! `bad-default`: a default that does not match the input's type.

use super::Rule;
use crate::diagnostic::{Diagnostic, Edit, Severity};
use crate::source::Span;
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "bad-default",
    severity: Severity::Error,
    summary: "a default that does not match the input's type",
    explanation: "The default of an input must be a value of its type. References are not allowed, because the default applies before any operation runs.",
    bad: r#"[workflow]
name = "example"

[inputs]
height = { type = "int", default = "tall" }

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.height}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
height = { type = "int", default = 720 }

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.height}" }
"#,
    absence: false,
    allowable: false,
};

/// The default of `input` has another type.
pub(crate) fn report(
    span: Span,
    input: &str,
    ty: &Type,
    ty_span: Span,
    shown: &str,
    edits: Option<Vec<Edit>>,
) -> Diagnostic {
    let ty = super::shorten(&ty.to_string());
    let finding = RULE
        .at(span, format!("invalid default `{}` for `{input}: {ty}`", super::shorten(shown)))
        .label(format!("expected `{ty}`"))
        .also(ty_span, "because of this type");
    super::valued(finding, edits)
}

/// The default of `input` contains a reference.
pub(crate) fn reference(span: Span, input: &str) -> Diagnostic {
    RULE.at(span, format!("invalid default of `{input}`: references are not allowed"))
        .label("unknown when the workflow is submitted")
        .help("write `$${` for a literal `${`")
}
