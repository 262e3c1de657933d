//! `reserved-name`: a reserved or invalid name.

use super::{Places, Rule, escaped};
use crate::agenda::{KubernetesSpec, OWN_VARIABLES, RunSpec};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::source::{Span, Spanned};

pub(crate) const RULE: Rule = Rule {
    id: "reserved-name",
    severity: Severity::Error,
    summary: "a reserved or invalid name",
    explanation: "`inputs`, `run`, `each` and `each_index` have a meaning inside `${…}`. Names that start with `pop.` or end in `.out` have a meaning in agendas. `::`, \
`>` and line breaks end a reference. Control characters are never part of a name. POP sets some variables of each program, such as `PAYLOAD`, and owns labels and \
annotations under `pop.dev/` and volumes named `pop` or `pop-…`.",
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

/// Reports variables of a program that POP sets itself.
pub(super) fn variables(run: &RunSpec, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    let env = run.env.keys().map(|name| ("/env", name));
    for (table, name) in env.chain(run.secret_env.keys().map(|name| ("/secretEnv", name))) {
        if OWN_VARIABLES.contains(&name.as_str()) {
            let at = places.key(&format!("{table}/{}", escaped(name)));
            let finding = RULE.at(at, format!("reserved variable `{name}`: POP sets this variable itself"));
            add(finding.label("set by POP").help("use another name"));
        }
    }
}

/// Reports labels and annotations of a pod that belong to POP.
pub(super) fn labels(spec: &KubernetesSpec, places: &dyn Places, add: &mut dyn FnMut(Diagnostic)) {
    for (table, what, map) in
        [("labels", "label", &spec.labels), ("annotations", "annotation", &spec.annotations)]
    {
        for name in map.keys().filter(|name| name.starts_with("pop.dev/")) {
            let at = places.key(&format!("/kubernetes/{table}/{}", escaped(name)));
            let name = super::shorten(name);
            let finding =
                RULE.at(at, format!("reserved {what} `{name}`: the prefix `pop.dev/` belongs to POP"));
            add(finding.label("reserved prefix").help("use another prefix"));
        }
    }
}

/// A finding, if the name of a volume belongs to POP.
pub(super) fn volume(at: Location, name: &str) -> Option<Diagnostic> {
    if name != "pop" && !name.starts_with("pop-") {
        return None;
    }
    let message =
        format!("reserved name of a volume `{}`: `pop` and `pop-…` belong to POP", super::shorten(name));
    Some(RULE.at(at, message).label("reserved").help("use another name"))
}
