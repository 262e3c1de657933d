//! `missing-import`: an unreadable file.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;

pub(crate) const RULE: Rule = Rule {
    id: "missing-import",
    severity: Severity::Error,
    summary: "an unreadable file",
    explanation: "`catalogs` names files with operation types, `schema` names a JSON Schema, and `workflow` names another workflow. Each path is relative to the file \
that contains it.",
    bad: r#"[workflow]
name = "example"
catalogs = ["ops/nowhere.toml"]

[operations.wait]
uses = "pop.sleep"
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: false,
};

/// The catalog `path` is unreadable because of `why`.
pub(crate) fn report(path: &Spanned<String>, why: &str) -> Diagnostic {
    RULE.at(path.span, format!("could not read the catalog `{}`: {why}", path.value)).label("named here")
}

/// The file `path`, used as a catalog, is a workflow.
pub(crate) fn not_a_catalog(path: &Spanned<String>) -> Diagnostic {
    RULE.at(path.span, format!("`{}` is a workflow, not a catalog", path.value)).label("named here").help(
        format!(
            "to run the workflow as an operation, write `workflow = \"{}\"`; its operation types \
                cannot be imported",
            path.value
        ),
    )
}

/// The file `path`, used as a workflow, is a catalog.
pub(crate) fn not_a_workflow(path: &Spanned<String>) -> Diagnostic {
    RULE.at(path.span, format!("`{}` is a catalog, not a workflow", path.value))
        .label("named here")
        .help(format!("to use its operation types, write `catalogs = [\"{}\"]`", path.value))
}

/// The JSON Schema `path` is unreadable because of `why`.
pub(crate) fn schema(path: &Spanned<String>, why: &str) -> Diagnostic {
    RULE.at(path.span, format!("could not read the schema `{}`: {why}", path.value)).label("named here")
}

/// The workflow `path` is unreadable because of `why`.
pub(crate) fn workflow(path: &Spanned<String>, why: &str) -> Diagnostic {
    RULE.at(path.span, format!("could not read the workflow `{}`: {why}", path.value)).label("named here")
}
