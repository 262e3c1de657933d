//! `secret-leak`: a secret in a readable place.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "secret-leak",
    severity: Severity::Error,
    summary: "a secret in a readable place",
    explanation: "A `secret<T>` may only go into an input that is declared secret, whole or as part of a text. Elsewhere (a message, an output, a plain or undeclared \
input) POP would store and show the secret in the clear. Declare that input `secret<…>`, or leave the secret out. Pass a secret to a program through `stdin`, `env` or \
its input, because every user of a machine can read command lines. Do not write a secret as a default, because every reader of the file sees the value.",
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
    allowable: true,
};

/// The secret `from` would be readable at `to`.
pub(crate) fn report(
    from: &str,
    to: &str,
    span: Span,
    origin: Option<Span>,
    declared: Option<Span>,
) -> Diagnostic {
    let finding = RULE
        .at(span, format!("exposed secret: `{from}` → `{to}`"))
        .label("secret value")
        .help("a secret may only go into an input that is declared `secret<…>`");
    let finding = match origin {
        Some(at) => finding.also(at, "declared secret here"),
        None => finding,
    };
    match declared {
        Some(at) => finding.also(at, "target is not declared secret"),
        None => finding,
    }
}

/// The secret input `path` is part of a command line.
pub(crate) fn in_command(span: Span, path: &str, operation: &Spanned<String>) -> Diagnostic {
    RULE.at(span, format!("exposed secret: `with.{path}` → the command line of `{}`", operation.value))
        .label("secret in a command line")
        .help(format!("pass the secret with `stdin = \"${{with.{path}}}\"` or in `env`"))
}

/// The default of an input is a secret in clear text.
pub(crate) fn in_default(span: Span, input: &str, declared: Span) -> Diagnostic {
    RULE.at(
        span,
        format!("the default of `{input}` is a secret, and every reader of this file sees the value"),
    )
    .label("written in the clear")
    .also(declared, "declared secret here")
    .help("leave the default out, and submit the secret; or make the input optional")
}
