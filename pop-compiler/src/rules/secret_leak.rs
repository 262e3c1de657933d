//! `secret-leak`: a secret that goes where it can be read.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "secret-leak",
    severity: Severity::Error,
    summary: "a secret that goes where it can be read",
    explanation: "A `secret<T>` may only go into an input that is declared secret, whole or as part of a text. Anywhere else (a message, an output, a plain input, \
a type without declared input) it would be stored and shown in the clear. A default for one would stand in the workflow itself. Declare that input `secret<…>`, or leave the secret out.",
    bad: r#"[workflow]
name = "example"

[inputs]
token = "secret<string>"

[operations.say]
uses = "pop.log"
with = { message = "the token is ${inputs.token}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
token = "secret<string>"

[catalog."api.call"]
input = { authorization = "secret<string>" }
command = ["call"]

[operations.call]
uses = "api.call"
with = { authorization = "Bearer ${inputs.token}" }
"#,
    absence: false,
};

/// The default of a secret `input` stands in the text, and so in every template made of it.
pub(crate) fn default(span: Span, input: &str, declared: Span) -> Diagnostic {
    RULE.at(span, format!("the default of the secret `{input}` shows to everybody who reads the workflow"))
        .label("this is no secret")
        .help("leave the default out, so that who submits the workflow gives the secret; `null` and `secret<…>?` make it optional")
        .also(declared, "declared secret here")
}

/// The secret `from` would show at `to`.
pub(crate) fn report(
    from: &str,
    to: &str,
    span: Span,
    origin: Option<Span>,
    declared: Option<Span>,
) -> Diagnostic {
    let finding = RULE
        .at(span, format!("a secret would show: `{from}` → `{to}`"))
        .label("this is secret")
        .help("a secret may only go into an input that is declared `secret<…>`");
    let finding = match origin {
        Some(at) => finding.also(at, "declared secret here"),
        None => finding,
    };
    match declared {
        Some(at) => finding.also(at, "what takes it is not declared secret"),
        None => finding,
    }
}
