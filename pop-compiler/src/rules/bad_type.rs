//! `bad-type`: an invalid type.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};
use crate::types::Type;

pub(crate) const RULE: Rule = Rule {
    id: "bad-type",
    severity: Severity::Error,
    summary: "an invalid type",
    explanation: "Types are `string int float bool null any url path duration bytes datetime`, `list<T>`, `map<T>`, `T?`, `A | B`, `secret<T>`, literals in quotes, \
records, and the names of `[types]`. A record is `{a: int}` or a table. `{a: int, ...}` allows further fields, and `{a: int, ...: string}` further fields of one type. \
In a table, the key of further fields is `\"...\"`.",
    bad: r#"[workflow]
name = "example"

[inputs]
source = "list<string"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.source}" }
"#,
    good: r#"[workflow]
name = "example"

[inputs]
source = "list<string>"

[operations.wait]
uses = "pop.sleep"
with = { output = "${inputs.source}" }
"#,
    absence: false,
    allowable: false,
};

/// `text` is not a type.
pub(crate) fn report(span: Span, text: &str, why: &str) -> Diagnostic {
    RULE.at(span, format!("invalid type `{}`: {why}", super::shorten(text))).label("here")
}

/// As [`report`], with the whole text of the type at `all`. The fix converts other languages' lists and optionals.
pub(crate) fn in_text(span: Span, all: &Spanned<String>, why: &str) -> Diagnostic {
    super::written(report(span, &all.value, why), all, rewritten(&all.value))
}

/// `int[]`, `list[int]`, `Optional<int>` or `list<int` in POP's form, if that is a type.
fn rewritten(text: &str) -> Option<String> {
    let text = text.trim();
    let missing = text.matches('<').count().saturating_sub(text.matches('>').count());
    let generic = |name: &str| {
        let (word, rest) = text.split_once('[')?;
        let inner = rest.strip_suffix(']')?;
        let fits = word.eq_ignore_ascii_case(name) && !inner.contains(['[', ']']);
        fits.then(|| format!("{name}<{inner}>"))
    };
    let candidate = if missing > 0 {
        // `map<int?` may have been `map<int>?` as well as `map<int?>`, and a union may end before it or after it
        (!text.ends_with('?') && !text.contains('|')).then(|| format!("{text}{}", ">".repeat(missing)))
    } else if let Some(item) = text.strip_suffix("[]").or_else(|| text.strip_prefix("[]")) {
        // `a | b[]` has a list of b in other languages, and so had to be written with brackets
        (!item.contains('|')).then(|| format!("list<{}>", item.trim()))
    } else if let Some(item) = text.strip_prefix('?') {
        (!item.contains('|')).then(|| format!("{item}?"))
    } else if let Some(item) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(format!("list<{item}>"))
    } else {
        generic("list").or_else(|| generic("map"))
    };
    candidate.filter(|text| Type::parse(text).is_ok())
}

/// A circular type without a value.
pub(crate) fn circular(name: &Spanned<String>) -> Diagnostic {
    RULE.at(name.span, format!("circular type `{}`", name.value))
        .label("no finite value")
        .help("a type may contain itself only inside a list, a map or a record")
}

/// A type with too many alternatives.
pub(crate) fn too_large(name: &Spanned<String>) -> Diagnostic {
    RULE.at(name.span, format!("the type `{}` has too many alternatives", name.value))
        .label("too many alternatives, or unions nested too deep")
        .help("use fewer names, or put a list, a map or a record in between")
}
