//! `unknown-input`: a reference to an undeclared input.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};
use crate::suggest::Near;

pub(crate) const RULE: Rule = Rule {
    id: "unknown-input",
    severity: Severity::Error,
    summary: "a reference to an undeclared input",
    explanation: "`${inputs.name}` stands for the input `name`, which `[inputs]` must declare.",
    bad: r#"[workflow]
name = "example"

[inputs]
source = "url"

[operations.wait]
uses = "pop.sleep"
with = { output = ["${inputs.source}", "${inputs.sorce}"] }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
source = "url"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.source}" }
"#,
    absence: true,
    allowable: false,
};

/// `inputs.NAME`, where an operation has that name. `root` is the place of `inputs`, and `near` a suggested input.
pub(crate) fn is_operation(name: &str, root: Span, span: Span, near: Option<&str>) -> Diagnostic {
    let finding = RULE.at(span, format!("unknown input `{name}`")).label("not declared in `[inputs]`");
    let help = format!("`{name}` is an operation; write `${{{name}}}`");
    match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")).help(help),
        None => finding.help(help).edit(Span { start: root.start, end: span.start, ..span }, ""),
    }
}

/// A native token whose name is not an input.
pub(crate) fn native(name: &str, span: Span, near: Option<Near<'_>>) -> Diagnostic {
    report(name, span, near).help("write `\\@<` for the text itself")
}

/// A reference to an undeclared input, with a suggestion.
pub(crate) fn report(name: &str, span: Span, near: Option<Near<'_>>) -> Diagnostic {
    let finding = RULE.at(span, format!("unknown input `{name}`"));
    match near {
        Some(near) => super::meant(finding, &Spanned::new(name.to_owned(), span), near),
        None => finding.label("not declared in `[inputs]`"),
    }
}
