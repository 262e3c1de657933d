//! `wrong-shape`: a value of the wrong kind.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};
use crate::suggest;

pub(crate) const RULE: Rule = Rule {
    id: "wrong-shape",
    severity: Severity::Error,
    summary: "a value of the wrong kind",
    explanation: "Each key of the language takes a certain kind of value: a string, a list, a table, a number.",
    bad: r#"[workflow]
name = "example"

[operations.wait]
uses = ["pop.sleep"]
"#,
    good: r#"[workflow]
name = "example"

[operations.wait]
uses = "pop.sleep"
"#,
    absence: false,
    allowable: false,
};

/// `what` must be `expected`, but is `found`.
pub(crate) fn report(span: Span, what: &str, expected: &str, found: &str) -> Diagnostic {
    RULE.at(span, format!("{what} must be {expected}, not {found}")).label(format!("expected {expected}"))
}

/// `[[what]]`, or a list of tables, in place of one table.
pub(crate) fn tables(span: Span, what: &str) -> Diagnostic {
    report(span, what, "a table", "a list of tables")
        .help("in TOML, `[x]` is a table, `[[x]]` is an item of a list, and `[x.name]` is a named entry")
}

/// An agenda in place of a workflow.
pub(crate) fn agenda(span: Span) -> Diagnostic {
    RULE.at(span, "expected a workflow, found an agenda")
        .label("a workflow has a table of operations by name")
        .help("the file name of an agenda ends in `.json`, not in `.pop.json`")
}

/// A catalog in place of a workflow.
pub(crate) fn catalog(span: Span) -> Diagnostic {
    RULE.at(span, CATALOG).label("a workflow needs a section `workflow`").help(IN_CATALOGS)
}

const CATALOG: &str = "expected a workflow, found a catalog of operation types";
const IN_CATALOGS: &str = "to use its operation types, list the file in `catalogs` of a workflow";

/// Turns the finding about a catalog into an info, where a catalog is allowed.
pub(crate) fn is_catalog(finding: &mut Diagnostic) {
    if finding.rule == RULE.id && finding.message == CATALOG {
        finding.severity = Severity::Info;
        "the file is checked as a catalog of operation types".clone_into(&mut finding.message);
        finding.primary.text.clear();
    }
}

/// A value of the right kind that is out of range.
pub(crate) fn value(span: Span, what: &str, expected: &str) -> Diagnostic {
    RULE.at(span, format!("{what} must be {expected}")).label(format!("expected {expected}"))
}

/// A whole number written as a text. `+05` is 5, which neither TOML nor JSON would accept.
pub(crate) fn number_in_quotes(span: Span, what: &str, number: i64) -> Diagnostic {
    let plain = number.to_string();
    report(span, what, "a number", "a string").help(format!("write `{plain}`")).edit(span, plain)
}

/// A number or a boolean in place of a text.
pub(crate) fn without_quotes(span: Span, what: &str, found: &str, written: &str, right: &str) -> Diagnostic {
    let quoted = format!("\"{right}\"");
    let finding = report(span, what, "a string", found);
    // of `0x10` or `1_000` nobody knows whether the digits or the number is meant
    if span.range().len() != written.len() {
        return finding.help("write the value in quotes");
    }
    finding.help(format!("write `{quoted}`")).edit(span, quoted)
}

/// A command in one text. `words` are its parts, if it contains no shell syntax.
pub(crate) fn command(span: Span, what: &str, words: Option<&[String]>) -> Diagnostic {
    let finding = report(span, what, "a list of the program and its arguments", "a string");
    match words {
        Some(words) => {
            let list = format!("[{}]", words.join(", "));
            finding.help(format!("a command runs without a shell; write `{list}`")).edit(span, list)
        }
        None => finding.help("a command runs without a shell; to use one, write `[\"sh\", \"-c\", \"…\"]`"),
    }
}

/// A word outside of the `known` ones.
pub(crate) fn word(word: &Spanned<String>, what: &str, known: &[&str]) -> Diagnostic {
    let finding = RULE.at(word.span, format!("invalid value `{}` of {what}", word.value));
    match suggest::nearest(&word.value, known.iter().copied()) {
        Some(near) => super::meant(finding, word, near),
        None => finding.label(format!("expected {}", known.join(", "))),
    }
}

/// An invalid JSON document; `why` is the parser's message.
pub(crate) fn native(span: Span, what: &str, why: &str) -> Diagnostic {
    RULE.at(span, format!("invalid {what}: {why}")).label("in this document")
}
