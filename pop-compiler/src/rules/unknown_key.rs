//! `unknown-key`: a key that means nothing here.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Spanned;
use crate::suggest;

pub(crate) const RULE: Rule = Rule {
    id: "unknown-key",
    severity: Severity::Error,
    summary: "a key that means nothing here",
    explanation: "Only the keys of the language are allowed, so that a misspelt one does not silently do nothing.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
afterr = []
"#,
    good: r#"[workflow]
name = "example"

[operations.first]
uses = "pop.sleep"

[operations.wait]
uses = "pop.sleep"
after = "first"
"#,
    absence: false,
};

/// `key` is none of the `known` keys of `of`.
pub(crate) fn report(key: &Spanned<String>, of: &str, known: &[&str]) -> Diagnostic {
    let finding = RULE.at(key.span, format!("unknown key `{}` in {of}", key.value));
    match suggest::nearest(&key.value, known.iter().copied()) {
        Some(near) => super::meant(finding, key, near),
        None => finding.label("not a key here").help(format!("known keys: {}", known.join(", "))),
    }
}
