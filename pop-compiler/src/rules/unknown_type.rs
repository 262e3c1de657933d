//! `unknown-type`: an unknown type.

use std::sync::Arc;

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;
use crate::suggest::{self, Near};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-type",
    severity: Severity::Error,
    summary: "an unknown type",
    explanation: "Known types are the built-in ones, those of `[types]`, and those of the catalogs that the workflow names.",
    bad: r#"[workflow]
name = "example"

[inputs]
source = "strin"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.source}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
source = "string"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.source}" }
"#,
    absence: true,
    allowable: false,
};

/// `name` is an unknown type.
pub(crate) fn report<'n>(name: &Spanned<Arc<str>>, known: impl IntoIterator<Item = &'n str>) -> Diagnostic {
    let finding = RULE.at(name.span, format!("unknown type `{}`", name.value));
    // what other languages call ours
    let ours = match name.value.to_lowercase().as_str() {
        "str" | "text" => Some("string"),
        "integer" | "int32" | "int64" | "long" => Some("int"),
        "double" | "float32" | "float64" => Some("float"),
        "boolean" => Some("bool"),
        "uri" => Some("url"),
        "timestamp" => Some("datetime"),
        _ => None,
    };
    let near = ours.map(Near::from).or_else(|| suggest::nearest(&name.value, known));
    match near {
        Some(near) => super::meant(finding, &Spanned::new(name.value.to_string(), name.span), near),
        None => finding.label("not a type").help(format!("define it with `[types.{}]`", name.value)),
    }
}
