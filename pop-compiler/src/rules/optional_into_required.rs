//! `optional-into-required`: a value that may be absent in a required place.

use super::{Given, Rule, Target};
use crate::diagnostic::{Diagnostic, Severity};
use crate::types::{Mismatch, Type};

pub(crate) const RULE: Rule = Rule {
    id: "optional-into-required",
    severity: Severity::Error,
    summary: "a value that may be absent in a required place",
    explanation: "The value may be null or absent, but its target does not allow null. Give a default with `??`, or make the input optional (`string?`).",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = 720 }

[operations.wait]
uses = "x.say"
with = { text = "${encode.note}" }

[catalog."x.say"]
input = { text = "string" }
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = 720 }

[operations.wait]
uses = "x.say"
with = { text = "${encode.note ?? 'none'}" }

[catalog."x.say"]
input = { text = "string" }
"#,
    absence: false,
    allowable: true,
};

/// An example of a default of this type, if a short one exists.
fn default_of(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Bool => "false",
        Type::Int | Type::Float | Type::Bytes => "0",
        Type::String | Type::Path => "'text'",
        Type::Url => "'https://example.com'",
        Type::Duration => "'1h'",
        Type::List(_) => "[]",
        Type::Map(_) => "{}",
        _ => return None,
    })
}

/// Only null keeps the value from its target.
pub(crate) fn report(given: &Given<'_>, target: &Target<'_>, mismatch: &Mismatch) -> Diagnostic {
    let path = &mismatch.path;
    let message =
        format!("{} may give `null`, which {} rejects", given.at(path), target.at(path, &mismatch.expected));
    let finding =
        RULE.at(given.span, message).label(format!("type `{}`", super::shorten(&given.ty.to_string())));
    let finding = match default_of(&mismatch.expected) {
        Some(default) if path.is_empty() => finding.help(format!("give a default: `${{… ?? {default}}}`")),
        _ => finding,
    };
    target.place(finding)
}
