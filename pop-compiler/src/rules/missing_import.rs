//! `missing-import`: a file that can't be read.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;

pub(crate) const RULE: Rule = Rule {
    id: "missing-import",
    severity: Severity::Error,
    summary: "a file that can't be read",
    explanation: "`catalogs` names files with operation types, `schema` one with a JSON Schema, and `workflow` another workflow; each relative to the file that names it.",
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

/// `path` can't be read, and `why`.
pub(crate) fn report(path: &Spanned<String>, why: &str) -> Diagnostic {
    RULE.at(path.span, format!("the catalog `{}` can't be read: {why}", path.value)).label("named here")
}

/// The file `path`, which is named as a catalog, is a workflow.
pub(crate) fn not_a_catalog(path: &Spanned<String>) -> Diagnostic {
    RULE.at(path.span, format!("`{}` is a workflow, not a catalog", path.value)).label("named here").help(
        format!(
            "it stands as an operation with `workflow = \"{}\"`; its operation types are its own",
            path.value
        ),
    )
}

/// The file `path`, which is named as a workflow, is a catalog.
pub(crate) fn not_a_workflow(path: &Spanned<String>) -> Diagnostic {
    RULE.at(path.span, format!("`{}` is a catalog, not a workflow", path.value))
        .label("named here")
        .help(format!("its operation types are used with `catalogs = [\"{}\"]`", path.value))
}

/// The JSON Schema `path` can't be read, and `why`.
pub(crate) fn schema(path: &Spanned<String>, why: &str) -> Diagnostic {
    RULE.at(path.span, format!("the schema `{}` can't be read: {why}", path.value)).label("named here")
}

/// The workflow `path` can't be read, and `why`.
pub(crate) fn workflow(path: &Spanned<String>, why: &str) -> Diagnostic {
    RULE.at(path.span, format!("the workflow `{}` can't be read: {why}", path.value)).label("named here")
}
