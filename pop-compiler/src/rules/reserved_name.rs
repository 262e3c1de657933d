//! `reserved-name`: a name that has a meaning of its own, or can't be written in a reference.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "reserved-name",
    severity: Severity::Error,
    summary: "a name that has a meaning of its own, or can't be written in a reference",
    explanation: "`inputs`, `run`, `each` and `each_index` mean something inside `${…}`; names that start with `pop.` or end in `.out` mean something in \
Agendas; `::`, `>` and line breaks end a reference. Control characters are never part of a name.",
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

/// A finding, if no operation may have this name.
pub(crate) fn operation(name: &Spanned<String>) -> Option<Diagnostic> {
    let text = name.value.as_str();
    let why = match text {
        "" => return Some(empty(name.span, "an operation")),
        "inputs" | "run" | "each" | "each_index" => format!("`${{{text}}}` means something else"),
        _ if text.starts_with("pop.") => "names that start with `pop.` are POP's own".to_owned(),
        _ if text.strip_suffix(".out").is_some() => "`.out` is how Agendas name an output".to_owned(),
        _ if text.contains("::") => "`::` starts the path of a reference".to_owned(),
        _ if text.contains('>') => "`>` ends a reference".to_owned(),
        _ if text.chars().any(char::is_control) => "it has a control character".to_owned(),
        _ => return None,
    };
    Some(RULE.at(name.span, format!("an operation can't be called `{}`", text.escape_debug())).label(why))
}

/// A name without a letter.
pub(crate) fn empty(span: Span, what: &str) -> Diagnostic {
    RULE.at(span, format!("{what} needs a name")).label("empty")
}

/// A name of a type that is a type already, or no name.
pub(crate) fn type_name(name: &Spanned<String>) -> Diagnostic {
    RULE.at(name.span, format!("a type can't be called `{}`", name.value))
        .label("built in, or not a name")
        .help("type names are letters, digits, `_`, `-` and `.`")
}
