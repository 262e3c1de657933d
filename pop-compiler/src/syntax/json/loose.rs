//! JSON that is not quite: what a lenient parser reads all the same, with a finding and an edit for each liberty, so that
//! one missing comma does not hide everything else.

use jsonc_parser::ParseOptions;
use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::{Range, Ranged};

use crate::diagnostic::Diagnostic;
use crate::fmt::lex;
use crate::rules;
use crate::source::{FileId, Span};
use crate::syntax::Door;

/// What is read with a finding.
pub(super) const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: true,
    allow_missing_commas: true,
    allow_single_quoted_strings: true,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Liberties of one file that are kept.
const MAX_FINDINGS: usize = 100;

/// The string that holds a line break, before an error at byte `at`: most likely its closing quote is missing.
pub(super) fn open_string(text: &str, at: usize) -> Option<Range> {
    let mut start = 0;
    for token in lex(text, Door::Json) {
        if start >= at {
            return None;
        }
        if token.text.starts_with('"')
            && let Some(length) = token.text.find('\n')
        {
            return Some(Range { start, end: start + token.text[..length].trim_end().len() });
        }
        start += token.text.len();
    }
    None
}

/// The liberties of a value. The parser bounds its depth, and so the recursion.
pub(super) fn liberties(file: FileId, text: &str, value: &Value<'_>, out: &mut Vec<Diagnostic>) {
    let mut liberties = Liberties { file, text, out: Vec::new() };
    liberties.value(value);
    out.append(&mut liberties.out);
}

struct Liberties<'t> {
    file: FileId,
    text: &'t str,
    out: Vec<Diagnostic>,
}

impl Liberties<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn add(&mut self, finding: Diagnostic) {
        if self.out.len() < MAX_FINDINGS {
            self.out.push(finding);
        }
    }

    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::StringLit(literal) => self.string(literal.range),
            Value::Array(array) => {
                let mut before = None;
                for element in &array.elements {
                    let range = element.range();
                    self.comma(before.replace(range.end), range.start);
                    self.value(element);
                }
            }
            Value::Object(object) => {
                let mut before = None;
                for property in &object.properties {
                    self.comma(before.replace(property.range.end), property.range.start);
                    match &property.name {
                        ObjectPropName::String(name) => self.string(name.range),
                        ObjectPropName::Word(word) => {
                            let (start, end) = (word.range.start, word.range.end);
                            let quoted = format!("\"{}\"", &self.text[start..end]);
                            let finding = rules::syntax::report(
                                self.span(start, end),
                                "expected string for object property",
                                "a key is in quotes",
                            );
                            self.add(finding.edit(self.span(start, end), quoted));
                        }
                    }
                    self.value(&property.value);
                }
            }
            Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
        }
    }

    fn string(&mut self, Range { start, end }: Range) {
        let raw = &self.text[start..end];
        if !raw.starts_with('\'') {
            return;
        }
        let message = "single-quoted strings are not allowed";
        let finding = rules::syntax::report(self.span(start, end), message, "write `\"`");
        let inner = raw.trim_matches('\'');
        self.add(if inner.contains(['"', '\\', '\'']) {
            finding
        } else {
            finding.edit(self.span(start, end), format!("\"{inner}\""))
        });
    }

    /// Looks for the comma between two items; comments may hold some too.
    fn comma(&mut self, before: Option<usize>, start: usize) {
        let Some(end) = before else { return };
        let mut rest = &self.text[end..start];
        while let Some(found) = rest.find([',', '/']) {
            if rest[found..].starts_with(',') {
                return;
            }
            let comment = &rest[found..];
            let length = if comment.starts_with("/*") { comment.find("*/") } else { comment.find('\n') };
            rest = &comment[length.unwrap_or(comment.len()).max(1)..];
        }
        let span = self.span(end, end);
        let finding = rules::syntax::report(span, "expected comma", "between two items");
        // `"a," "b"`: the comma is there, and the quote at the wrong place
        let swallowed = self.text[..end].ends_with(",\"");
        self.add(if swallowed { finding } else { finding.edit(span, ",") });
    }
}
