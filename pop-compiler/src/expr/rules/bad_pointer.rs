//! `bad-pointer`: a native token with an invalid pointer.

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::source::Span;

pub(crate) const RULE: Rule = Rule {
    id: "bad-pointer",
    severity: Severity::Error,
    summary: "a native token with an invalid pointer",
    explanation: "The part after `::` in `@<name.out::/key/0>` is a JSON pointer. In a key, `~0` stands for `~`, `~1` for `/`, `~2` for `>` and `~3` for `?`; any other \
`~` is invalid. A list index has no leading zeros.",
    bad: r#"[workflow]
name = "example"

[operations.probe]
uses = "pop.transform"
with = { value = { "a~b" = 1 } }

[operations.say]
uses = "pop.log"
with = { message = "@<probe.out::/a~b>" }
"#,
    good: r#"[workflow]
name = "example"

[operations.probe]
uses = "pop.transform"
with = { value = { "a~b" = 1 } }

[operations.say]
uses = "pop.log"
with = { message = "@<probe.out::/a~0b>" }
"#,
    absence: false,
    allowable: false,
};

/// A `~` without a valid escape.
pub(crate) fn escape(span: Span, key: &str) -> Diagnostic {
    RULE.at(span, format!("invalid escape `~` in the key `{key}` of a pointer"))
        .label("must be followed by 0, 1, 2 or 3")
        .help("write `~0` for `~` itself")
        .edit(span, "~0")
}

/// An index with leading zeros.
pub(crate) fn index(span: Span, index: &str) -> Diagnostic {
    let plain = index.trim_start_matches('0');
    let plain = if plain.is_empty() { "0" } else { plain };
    let finding = RULE
        .at(span, format!("invalid list index `{index}`"))
        .label("leading zeros")
        .help(format!("write `{plain}`"));
    if span.range().len() == index.len() { finding.edit(span, plain) } else { finding }
}

/// A token with a pointer into a text.
pub(crate) fn into_text(span: Span, token: &str, name: &str) -> Diagnostic {
    RULE.at(span, format!("invalid pointer in `{token}`: `{name}` is a text"))
        .help(format!("write `@<{name}>`"))
}
