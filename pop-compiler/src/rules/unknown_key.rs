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

/// Keys of other workflow languages, and POP's keys of the same meaning.
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
    ("serviceAccountName", "service_account"),
    ("priorityClassName", "priority_class"),
    ("runtimeClassName", "runtime_class"),
    ("claimName", "claim"),
];

/// `key` is the rest of an unquoted name with a dot.
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

/// An operation type in a catalog file, written like in a workflow file. `section` is the place of its section's name.
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

/// Whether `key` is another tool's word, which may have another meaning there.
pub(crate) fn is_foreign(key: &str) -> bool {
    OTHERS.iter().any(|(word, _)| *word == key)
}

/// The known key that `key` probably stands for.
pub(crate) fn meant(key: &str, known: &[&'static str]) -> Option<Near<'static>> {
    let other = OTHERS.iter().find(|(word, ours)| *word == key && known.contains(ours));
    let near = other.map(|(_, ours)| Near::from(*ours));
    near.or_else(|| suggest::nearest(key, known.iter().copied()))
}

/// `key` is close to `ours`, which is also present.
pub(crate) fn twin(key: &Spanned<String>, of: &str, ours: &str) -> Diagnostic {
    RULE.at(key.span, format!("unknown key `{}` in {of}", key.value))
        .label("not a key here")
        .help(format!("`{ours}` is present, too: keep one of them"))
}

/// `key` is another tool's word for `ours`, but its value has another form.
pub(crate) fn otherwise(key: &Spanned<String>, of: &str, ours: &str) -> Diagnostic {
    RULE.at(key.span, format!("unknown key `{}` in {of}", key.value))
        .label("not a key here")
        .help(format!("use `{ours}`, whose value has another form"))
}

/// `key` is not among the `known` keys of `of`.
pub(crate) fn report(key: &Spanned<String>, of: &str, known: &[&'static str]) -> Diagnostic {
    let finding = RULE.at(key.span, format!("unknown key `{}` in {of}", key.value));
    match meant(&key.value, known) {
        Some(near) => super::meant(finding, key, near),
        None => finding.label("not a key here").help(format!("known keys: {}", known.join(", "))),
    }
}
