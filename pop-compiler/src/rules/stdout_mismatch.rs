//! `stdout-mismatch`: a declared output that standard output cannot fill.

use super::Rule;
use crate::agenda::Stdout;
use crate::ast::DeclaredOutput;
use crate::diagnostic::{Diagnostic, Severity};
use crate::types::{Record, Type, Types};
use crate::values::{self, Filled};

pub(crate) const RULE: Rule = Rule {
    id: "stdout-mismatch",
    severity: Severity::Warning,
    summary: "a declared output that standard output cannot fill",
    explanation: "`stdout = \"text\"` fills one output field with the printed text, and `stdout = \"lines\"` with the list of printed lines. The field is the only \
declared one, or else the one named `text` or `lines`. POP reads numbers, booleans, paths and the like from the text. Any other declared field would be missing, and the \
operation would fail. Declare only that field, use `stdout = \"json\"`, or let the program write `$POP_OUTPUT_FILE` with `stdout = \"log\"`. The file takes precedence \
over standard output.",
    bad: r#"[workflow]
name = "example"

[catalog."git.title"]
output = { title = "string", author = "string" }
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
output = { title = "string" }
command = ["git", "log", "-1", "--format=%s"]
stdout = "text"

[operations.title]
uses = "git.title"

[outputs]
title = "${title.title}"
"#,
    absence: false,
    allowable: true,
};

/// A finding, if the declared type accepts no output of `stdout`.
pub(crate) fn check(
    types: &Types,
    stdout: Stdout,
    declared: &Type,
    place: &DeclaredOutput,
) -> Option<Diagnostic> {
    let filled = values::filled(stdout)?;
    if takes(types, declared, filled) {
        return None;
    }
    let word = filled.usual();
    let (message, given) = match types.resolve(declared) {
        Type::Record(record) => {
            let field = filled.field(record);
            let given = format!("{{ {field}: {} }}", gives(filled));
            let message = match lacking(types, record, field) {
                Some(name) => {
                    format!("missing output `{name}`: standard output as `{word}` gives only `{given}`")
                }
                None => {
                    format!("standard output as `{word}` gives `{given}`, but `{field}` has another type")
                }
            };
            (message, given)
        }
        other => {
            let given = format!("{{ {word}: {} }}", gives(filled));
            let other = super::shorten(&other.to_string());
            (
                format!(
                    "standard output as `{word}` gives `{given}`, but `{other}` does not accept that value"
                ),
                given,
            )
        }
    };
    let finding = RULE.at(place.span, message).label(format!("expected `{given}`"));
    let other = match filled {
        Filled::Text => Filled::Lines,
        Filled::Lines => Filled::Text,
    };
    let meant =
        matches!(types.resolve(declared), Type::Record(r) if r.len() == 1) && takes(types, declared, other);
    if meant && let Some(stdout) = place.stdout {
        let word = other.usual();
        return Some(finding.help(format!("use `stdout = \"{word}\"`")).rename(stdout, filled.usual(), word));
    }
    Some(finding.help(format!(
        "declare that type, or let the program write `$POP_OUTPUT_FILE` and set `stdout = \"log\"` instead of `\"{word}\"`"
    )))
}

/// Type of the filled field, for people.
fn gives(filled: Filled) -> &'static str {
    match filled {
        Filled::Text => "string",
        Filled::Lines => "list<string>",
    }
}

/// Whether the type accepts some record with only the filled field. Recursion is bounded by the depth of the source.
fn takes(types: &Types, ty: &Type, filled: Filled) -> bool {
    let wanted: fn(&Types, &Type) -> bool = match filled {
        Filled::Text => is_text,
        Filled::Lines => is_lines,
    };
    match types.resolve(ty) {
        Type::Any | Type::Error => true,
        Type::Union(members) => members.iter().any(|member| takes(types, member, filled)),
        Type::Secret(inner) => takes(types, inner, filled),
        Type::Map(item) => wanted(types, item),
        Type::Record(record) => {
            let field = filled.field(record);
            lacking(types, record, field).is_none()
                && record.get(field).or(record.rest()).is_some_and(|ty| wanted(types, ty))
        }
        _ => false,
    }
}

/// A required field other than the filled one.
fn lacking<'r>(types: &Types, record: &'r Record, field: &str) -> Option<&'r str> {
    record.iter().find(|(name, ty)| *name != field && !types.accepts_null(ty)).map(|(name, _)| name)
}

/// Whether some text is valid for the type. Recursion as above.
fn is_text(types: &Types, ty: &Type) -> bool {
    match types.resolve(ty) {
        Type::Union(members) => members.iter().any(|member| is_text(types, member)),
        Type::Secret(inner) => is_text(types, inner),
        Type::Null | Type::List(_) | Type::Map(_) | Type::Record(_) => false,
        _ => true,
    }
}

/// Whether some list of texts is valid for the type. Recursion as above.
fn is_lines(types: &Types, ty: &Type) -> bool {
    match types.resolve(ty) {
        Type::Any | Type::Error => true,
        Type::Union(members) => members.iter().any(|member| is_lines(types, member)),
        Type::Secret(inner) => is_lines(types, inner),
        Type::List(item) => is_text(types, item),
        _ => false,
    }
}
