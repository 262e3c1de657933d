//! `secret-leak`: a secret that goes where it can be read.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "secret-leak",
    severity: Severity::Error,
    summary: "a secret that goes where it can be read",
    explanation: "A `secret<T>` may only go into an input that is declared secret, whole or as part of a text. Anywhere else (a message, an output, a plain input, \
a type without declared input) it would be stored and shown in the clear. Declare that input `secret<…>`, or leave the secret out. A program gets a secret through `stdin`, `env` or its input: \
everybody on a machine can read the words of a command. A default that is a secret stands in the file for all to read.",
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

/// The secret input `path` is among the words of a command.
pub(crate) fn in_command(span: Span, path: &str, operation: &Spanned<String>) -> Diagnostic {
    RULE.at(span, format!("a secret would show: `with.{path}` → the command line of `{}`", operation.value))
        .label("a secret in the line of a program")
        .help(format!("hand it over as `stdin = \"${{with.{path}}}\"` or in `env`"))
}

/// The default of an input holds a secret in clear text.
pub(crate) fn in_default(span: Span, input: &str, declared: Span) -> Diagnostic {
    RULE.at(span, format!("the default of `{input}` is a secret that everybody who has this file can read"))
        .label("written in the clear")
        .also(declared, "declared secret here")
        .help("leave the default out, and submit the secret; or make the input optional")
}
