//! Values of `with`, `each`, `when`, defaults and outputs: JSON whose strings may hold references.

use super::Decoder;
use crate::ast::{Field, Foreign, Value, ValueKind};
use crate::expr::foreign::{self, Placeholder};
use crate::expr::{self, habits};
use crate::rules::bad_expression;
use crate::tree::{Entry, Node, Text, Tree};

/// Placeholders of other languages that are told of one file.
const MOST_FOREIGN: usize = 1_000;

impl Decoder<'_> {
    /// The value of `when`. Conditions as other languages have them are told, be they inside of `${…}` or around it.
    pub(super) fn condition(&mut self, tree: Tree) -> Value {
        let habit = match &tree.node {
            Node::String(text) if !is_reference(&text.value) => {
                habits::in_condition(&text.value).map(|(at, habit)| {
                    let span = text.span(self.file, at.start, at.end);
                    bad_expression::habit(span, habit, &text.value[at], bad_expression::WHEN)
                })
            }
            _ => None,
        };
        let before = self.out.len();
        let mut value = self.value(tree);
        let Some(finding) = habit else { return value };
        if self.out.len() == before {
            self.out.push(finding);
        }
        if let ValueKind::Text(template) = &mut value.kind {
            template.broken = true;
        }
        value
    }

    /// Recursion is bounded by the depth of the tree.
    pub(super) fn value(&mut self, tree: Tree) -> Value {
        let kind = match tree.node {
            Node::Error => ValueKind::Error,
            Node::Null => ValueKind::Null,
            Node::Bool(b) => ValueKind::Bool(b),
            Node::Number(n) => ValueKind::Number(n),
            Node::String(text) => {
                let before = self.out.len();
                self.placeholders(&text);
                let template = expr::parse(self.file, text, &mut self.next_id, self.out);
                if self.out.len() > before && template.references().next().is_none() {
                    ValueKind::Error
                } else {
                    ValueKind::Text(template)
                }
            }
            Node::List(items) => {
                let mut values: Vec<Value> = items.into_iter().map(|t| self.value(t)).collect();
                values.shrink_to_fit();
                ValueKind::List(values)
            }
            Node::Table(table) => {
                let field = |e: Entry| Field { name: e.key, value: self.value(e.value) };
                let mut fields: Vec<Field> = table.entries.into_iter().map(field).collect();
                fields.shrink_to_fit();
                ValueKind::Record(fields)
            }
        };
        Value { kind, span: tree.span }
    }
}

impl Decoder<'_> {
    /// Keeps the placeholders of other languages in a text.
    fn placeholders(&mut self, text: &Text) {
        let value = text.value.as_str();
        // nearly all texts are words, or references
        if !value.bytes().any(|b| matches!(b, b'$' | b'{'))
            || is_reference(value)
            || self.foreign.len() > MOST_FOREIGN
        {
            return;
        }
        for Placeholder { range, path, common, more } in foreign::placeholders(value) {
            if !(common && path.iter().any(|name| foreign::defines(value, name))) {
                self.foreign.push(Foreign {
                    span: text.span(self.file, range.start, range.end),
                    shell: !value[range.start..].starts_with("{{") && !value[range.start..].starts_with("~{"),
                    shown: value[range].to_owned(),
                    path,
                    common,
                    certain: !more,
                    inside: self.inside,
                });
            }
        }
    }
}

/// Whether a text is surely one reference, or has a token of POP's own in it.
fn is_reference(text: &str) -> bool {
    let whole = text.starts_with("${") && text.bytes().position(|b| b == b'}') == Some(text.len() - 1);
    whole || text.contains("@<")
}
