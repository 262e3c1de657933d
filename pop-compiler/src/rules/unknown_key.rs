//! `unknown-key`: a key without a meaning at its place.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};
use crate::suggest::{self, Near};

pub(crate) const RULE: Rule = Rule {
    id: "unknown-key",
    severity: Severity::Error,
    summary: "a key without a meaning at its place",
    explanation: "Only the keys of the language are allowed. A misspelt key would have no effect.",
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
    allowable: false,
};

/// What other workflow languages call keys of ours that mean the same.
const OTHERS: &[(&str, &str)] = &[
    ("needs", "after"),
    ("depends_on", "after"),
    ("depends-on", "after"),
    ("dependsOn", "after"),
    ("dependencies", "after"),
    ("if", "when"),
    ("foreach", "each"),
    ("for_each", "each"),
    ("forEach", "each"),
    ("for-each", "each"),
    ("params", "with"),
    ("parameters", "with"),
    ("arguments", "with"),
    ("inputs", "with"),
    ("type", "uses"),
    ("steps", "operations"),
    ("tasks", "operations"),
    ("jobs", "operations"),
    ("params", "inputs"),
    ("parameters", "inputs"),
    ("cmd", "command"),
    ("mem", "memory"),
    ("max_attempts", "attempts"),
    ("maxAttempts", "attempts"),
];

/// `key` is the rest of a name with a dot in it, which is not in quotes.
pub(crate) fn dotted(key: &Spanned<String>, before: &str, of: &str) -> Diagnostic {
    RULE.at(key.span, format!("unknown key `{}` in {of}", key.value))
        .label("not a key here")
        .help(format!("a name with a dot needs quotes: `\"{before}.{}\"`", key.value))
}

/// `catalogs` in a catalog file.
pub(crate) fn in_catalog(key: &Spanned<String>) -> Diagnostic {
    RULE.at(key.span, format!("unknown key `{}` in a catalog file", key.value))
        .label("not a key here")
        .help("a catalog cannot import catalogs; list all of them in `catalogs` of the workflow")
}

/// An operation type as a workflow file has it, in a catalog file; `section` is where its section is named.
pub(crate) fn moved(key: &Spanned<String>, section: Option<Span>) -> Diagnostic {
    let finding = RULE
        .at(key.span, format!("unknown key `{}` in `catalog`", key.value))
        .label("an operation type")
        .help(format!(
            "in a catalog file, write `[operations.{}]`",
            serde_json::Value::from(key.value.as_str())
        ));
    match section {
        Some(section) => finding.rename(section, "catalog", "operations"),
        None => finding,
    }
}

/// Whether `key` is another tool's word, which may mean something else there.
pub(crate) fn is_foreign(key: &str) -> bool {
    OTHERS.iter().any(|(word, _)| *word == key)
}

/// The known key that `key` was probably meant to be.
pub(crate) fn meant(key: &str, known: &[&'static str]) -> Option<Near<'static>> {
    let other = OTHERS.iter().find(|(word, ours)| *word == key && known.contains(ours));
    let near = other.map(|(_, ours)| Near::from(*ours));
    near.or_else(|| suggest::nearest(key, known.iter().copied()))
}

/// `key` is near to `ours`, which is there as well.
pub(crate) fn twin(key: &Spanned<String>, of: &str, ours: &str) -> Diagnostic {
    RULE.at(key.span, format!("unknown key `{}` in {of}", key.value))
        .label("not a key here")
        .help(format!("`{ours}` is present, too: keep one of them"))
}

/// `key` is another tool's word for `ours`, but its value is of another form.
pub(crate) fn otherwise(key: &Spanned<String>, of: &str, ours: &str) -> Diagnostic {
    RULE.at(key.span, format!("unknown key `{}` in {of}", key.value))
        .label("not a key here")
        .help(format!("use `{ours}`, whose value has another form"))
}

/// `key` is none of the `known` keys of `of`.
pub(crate) fn report(key: &Spanned<String>, of: &str, known: &[&'static str]) -> Diagnostic {
    let finding = RULE.at(key.span, format!("unknown key `{}` in {of}", key.value));
    match meant(&key.value, known) {
        Some(near) => super::meant(finding, key, near),
        None => finding.label("not a key here").help(format!("known keys: {}", known.join(", "))),
    }
}
