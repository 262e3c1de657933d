//! `missing-input`: an operation without a required input.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "missing-input",
    severity: Severity::Error,
    summary: "an operation without a required input",
    explanation: "`with` must hold every input whose type does not allow null.",
    bad: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { title = "x" }
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.encode"]
input = { height = "int", title = "string?" }
output = { file = "path", note = "string?" }

[operations.encode]
uses = "media.encode"
with = { height = 720 }
"#,
    absence: true,
    allowable: true,
};

/// `of` lacks `missing`: names and types.
pub(crate) fn report(span: Span, of: &str, missing: &[(&str, &Type)]) -> Diagnostic {
    let names: Vec<String> =
        missing.iter().map(|(name, ty)| format!("`{name}: {}`", super::shorten(&ty.to_string()))).collect();
    RULE.at(span, format!("{of} needs {}", names.join(", "))).label("not given")
}
