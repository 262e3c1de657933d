//! `stdout-mismatch`: a declared output that standard output can't give.

use super::Rule;
use crate::agenda::Stdout;
use crate::ast::DeclaredOutput;
use crate::diagnostic::{Diagnostic, Severity};
use crate::types::{Record, Type, Types};

pub(crate) const RULE: Rule = Rule {
    id: "stdout-mismatch",
    severity: Severity::Warning,
    summary: "a declared output that standard output can't give",
    explanation: "`stdout = \"text\"` makes `{ text }` of what a program prints, and `stdout = \"lines\"` makes `{ lines }`, a list of texts. An output that asks for \
anything else is never there, and it is the operation that reads it which fails. Declare what standard output gives, use `stdout = \"json\"`, or let the program write \
`$POP_OUTPUT_FILE`, which always wins, with `stdout = \"log\"`.",
    bad: r#"[workflow]
name = "example"

[catalog."git.title"]
output = { title = "string" }
command = ["git", "log", "-1", "--format=%s"]
stdout = "text"

[operations.title]
uses = "git.title"

[outputs]
title = "${title.title}"
"#,
    good: r#"[workflow]
name = "example"

[catalog."git.title"]
output = { text = "string" }
command = ["git", "log", "-1", "--format=%s"]
stdout = "text"

[operations.title]
uses = "git.title"

[outputs]
title = "${title.text}"
"#,
    absence: false,
};

/// A finding when no value of the declared type is what `stdout` gives.
pub(crate) fn check(
    types: &Types,
    stdout: Stdout,
    declared: &Type,
    place: &DeclaredOutput,
) -> Option<Diagnostic> {
    let (word, field, gives, wanted): (_, _, _, Wanted) = match stdout {
        Stdout::Text => ("text", "text", "{ text: string }", is_text),
        Stdout::Lines => ("lines", "lines", "{ lines: list<string> }", is_lines),
        Stdout::Log | Stdout::Json => return None,
    };
    if takes(types, declared, field, wanted) {
        return None;
    }
    let message = match types.resolve(declared) {
        Type::Record(record) => match lacking(types, record, field) {
            Some(name) => format!("standard output as `{word}` gives `{gives}`; nothing gives `{name}`"),
            None => {
                format!("standard output as `{word}` gives `{gives}`, and `{field}` is something else here")
            }
        },
        other => format!(
            "standard output as `{word}` gives `{gives}`, which is no `{}`",
            super::shorten(&other.to_string())
        ),
    };
    let finding = RULE
        .at(place.span, message)
        .label(format!("expected `{gives}`"))
        .help(format!("declare that, or let the program write `$POP_OUTPUT_FILE` and set `stdout = \"log\"` instead of `\"{word}\"`"));
    // one field of the right type has only the wrong name
    let renamed = match (types.resolve(declared), place.only) {
        (Type::Record(record), Some(only)) => {
            let name = record.iter().next().map(|(name, _)| name.to_owned());
            name.filter(|_| record.iter().all(|(_, ty)| wanted(types, ty))).map(|name| (only, name))
        }
        _ => None,
    };
    Some(match renamed {
        Some((span, name)) => finding.rename(span, &name, field),
        None => finding,
    })
}

type Wanted = fn(&Types, &Type) -> bool;

/// Whether some record with nothing but this field is of the type. Recursion is bounded by the depth of the source.
fn takes(types: &Types, ty: &Type, field: &str, wanted: Wanted) -> bool {
    match types.resolve(ty) {
        Type::Any | Type::Error => true,
        Type::Union(members) => members.iter().any(|member| takes(types, member, field, wanted)),
        Type::Secret(inner) => takes(types, inner, field, wanted),
        Type::Map(item) => wanted(types, item),
        Type::Record(record) => {
            lacking(types, record, field).is_none() && record.get(field).is_none_or(|ty| wanted(types, ty))
        }
        _ => false,
    }
}

/// A field that must be there and is another one.
fn lacking<'r>(types: &Types, record: &'r Record, field: &str) -> Option<&'r str> {
    record.iter().find(|(name, ty)| *name != field && !types.accepts_null(ty)).map(|(name, _)| name)
}

/// Whether some text is of the type. Recursion as above.
fn is_text(types: &Types, ty: &Type) -> bool {
    match types.resolve(ty) {
        Type::Union(members) => members.iter().any(|member| is_text(types, member)),
        Type::Secret(inner) => is_text(types, inner),
        Type::Literal(value) => value.is_string(),
        Type::Null
        | Type::Bool
        | Type::Int
        | Type::Float
        | Type::List(_)
        | Type::Map(_)
        | Type::Record(_) => false,
        _ => true,
    }
}

/// Whether some list of texts is of the type. Recursion as above.
fn is_lines(types: &Types, ty: &Type) -> bool {
    match types.resolve(ty) {
        Type::Any | Type::Error => true,
        Type::Union(members) => members.iter().any(|member| is_lines(types, member)),
        Type::Secret(inner) => is_lines(types, inner),
        Type::List(item) => is_text(types, item),
        _ => false,
    }
}
