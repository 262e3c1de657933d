//! `reserved-name`: a reserved or invalid name.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "reserved-name",
    severity: Severity::Error,
    summary: "a reserved or invalid name",
    explanation: "`inputs`, `run`, `each` and `each_index` have a meaning inside `${…}`. Names that start with `pop.` or end in `.out` have a meaning in agendas. `::`, \
`>` and line breaks end a reference. Control characters are never part of a name.",
    bad: r#"[workflow]
name = "example"

[operations.inputs]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[operations.read_inputs]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: false,
};

/// A finding, if the name is invalid for an operation.
pub(crate) fn operation(name: &Spanned<String>) -> Option<Diagnostic> {
    let text = name.value.as_str();
    let why = match text {
        "" => return Some(empty(name.span, "an operation")),
        "inputs" | "run" | "each" | "each_index" => format!("`${{{text}}}` has another meaning"),
        _ if text.starts_with("pop.") => "the prefix `pop.` is reserved".to_owned(),
        _ if text.strip_suffix(".out").is_some() => "agendas name outputs with the suffix `.out`".to_owned(),
        _ if text.contains("::") => "`::` starts the path of a reference".to_owned(),
        _ if text.contains('>') => "`>` ends a reference".to_owned(),
        _ if text.chars().any(char::is_control) => "contains a control character".to_owned(),
        _ => return None,
    };
    Some(RULE.at(name.span, format!("invalid operation name `{}`", text.escape_debug())).label(why))
}

/// An empty name.
pub(crate) fn empty(span: Span, what: &str) -> Diagnostic {
    RULE.at(span, format!("{what} needs a name")).label("empty")
}

/// A type name that is built in, or has invalid characters.
pub(crate) fn type_name(name: &Spanned<String>) -> Diagnostic {
    RULE.at(name.span, format!("invalid type name `{}`", name.value))
        .label("built-in name, or invalid characters")
        .help("use letters, digits, `_`, `-` and `.` in type names")
}
