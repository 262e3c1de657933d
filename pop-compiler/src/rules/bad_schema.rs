//! `bad-schema`: an invalid or unsupported JSON Schema.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};
use crate::tree::{Entry, Node, Tree};
use crate::types::pointed;
use crate::{budget, suggest};

pub(crate) const RULE: Rule = Rule {
    id: "bad-schema",
    severity: Severity::Error,
    summary: "an invalid or unsupported JSON Schema",
    explanation: "`input = { schema = \"probe.schema.json\" }` takes a type from a JSON Schema (2020-12) file. Each `$ref` must lead to a place in the same file, and \
each `type` must be one of JSON Schema. A type cannot express `pattern`, `minimum`, `not` and `if`: POP ignores such keywords, so the type accepts all values of the \
schema, and perhaps more. An object without `additionalProperties: false` is an open record, `{a: int, ...}`. A recursive schema becomes a recursive type, `tree/node`. \
The rule reports invalid keywords, and schemas without any valid value. The finding is in the schema file.",
    bad: r#"[workflow]
name = "example"

[catalog."media.probe"]
input = { schema = "broken.schema.json" }
command = ["probe"]

[operations.probe]
uses = "media.probe"
"#,
    good: r#"[workflow]
name = "example"

[catalog."media.probe"]
input = { schema = "probe.schema.json" }
command = ["probe"]

[operations.probe]
uses = "media.probe"
"#,
    absence: false,
    allowable: false,
};

const TYPES: &[&str] = &["null", "boolean", "object", "array", "number", "integer", "string"];

/// A schema that is too large with every `$ref` followed.
pub(crate) fn too_large(span: Span) -> Diagnostic {
    let message = "the schema is too large: more than 400000 parts with every `$ref` followed";
    RULE.at(span, message).label("too large").help(
        "a definition counts once for each reference to it; leave parts out, or replace them with `{}` \
            (anything)",
    )
}

/// Faults of a schema that would leave its type unknown.
pub(crate) fn check(tree: &Tree, out: &mut Vec<Diagnostic>) {
    if !matches!(tree.node, Node::Table(_) | Node::Bool(_) | Node::Error) {
        let message = format!("invalid JSON Schema: expected an object, not {}", tree.node.describe());
        out.push(RULE.at(tree.span, message).label("expected an object"));
        return;
    }
    if matches!(tree.node, Node::Bool(false)) {
        out.push(RULE.at(tree.span, "the schema `false` allows no value").label("takes no value"));
        return;
    }
    let root = tree.to_json();
    let mut anchors = HashSet::new();
    named(&root, &mut anchors);
    Walk { root: &root, anchors, out }.schema(tree);
}

/// Collects the anchors of a schema. Recursion is bounded by the depth of the tree.
fn named<'s>(schema: &'s Json, anchors: &mut HashSet<&'s str>) {
    match schema {
        Json::Object(map) => {
            let names = ["$anchor", "$dynamicAnchor"].into_iter().filter_map(|key| map.get(key)?.as_str());
            anchors.extend(names);
            map.values().for_each(|value| named(value, anchors));
        }
        Json::Array(items) => items.iter().for_each(|item| named(item, anchors)),
        _ => {}
    }
}

/// Keywords for a lower and an upper bound of the same property.
const BOUNDS: &[(&str, &str)] = &[
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
];

struct Walk<'w> {
    root: &'w Json,
    anchors: HashSet<&'w str>,
    out: &'w mut Vec<Diagnostic>,
}

impl Walk<'_> {
    fn fault(&mut self, span: Span, message: String, label: &str) {
        budget::enforce(self.out);
        self.out.push(RULE.at(span, message).label(label.to_owned()));
    }

    /// Recursion is bounded by the depth of the tree.
    fn schema(&mut self, tree: &Tree) {
        match &tree.node {
            Node::List(items) => items.iter().for_each(|item| self.schema(item)),
            Node::Table(table) => {
                for Entry { key, value } in &table.entries {
                    self.keyword(key.value.as_str(), value);
                }
                self.bounds(&table.entries);
            }
            _ => {}
        }
    }

    fn keyword(&mut self, key: &str, value: &Tree) {
        match (key, &value.node) {
            // these hold plain values and words for people, no schemas
            (_, Node::Error)
            | ("const" | "default" | "examples" | "example" | "title" | "description" | "$comment", _) => {}
            (other, _) if other.starts_with("x-") => {}
            ("properties" | "$defs" | "definitions" | "patternProperties" | "dependentSchemas", node) => {
                match node {
                    Node::Table(named) => named.entries.iter().for_each(|e| self.schema(&e.value)),
                    _ => self.fault(
                        value.span,
                        format!("invalid `{key}`: expected an object of schemas"),
                        "expected an object",
                    ),
                }
            }
            ("$ref", Node::String(text)) => self.reference(&text.value, value.span),
            ("type", Node::String(text)) => self.word(&text.value, value.span),
            ("type", Node::List(words)) => {
                for word in words {
                    match &word.node {
                        Node::String(text) => self.word(&text.value, word.span),
                        _ => self.fault(
                            word.span,
                            "invalid item of `type`: expected a string".into(),
                            "expected a string",
                        ),
                    }
                }
            }
            ("type" | "$ref", _) => {
                self.fault(value.span, format!("invalid `{key}`: expected a string"), "expected a string");
            }
            ("required", Node::List(names)) => {
                for name in names.iter().filter(|name| !matches!(name.node, Node::String(_) | Node::Error)) {
                    self.fault(
                        name.span,
                        "invalid item of `required`: expected a string".into(),
                        "expected a string",
                    );
                }
            }
            ("enum", Node::List(values)) if !values.is_empty() => {}
            ("required", _) => {
                self.fault(
                    value.span,
                    "invalid `required`: expected a list of names".into(),
                    "expected a list",
                );
            }
            ("enum", _) => {
                self.fault(
                    value.span,
                    "invalid `enum`: expected a list of values".into(),
                    "expected one or more",
                );
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Node::List(schemas)) if !schemas.is_empty() => {
                self.schema(value);
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", _) => {
                self.fault(
                    value.span,
                    format!("invalid `{key}`: expected a list of schemas"),
                    "expected one or more",
                );
            }
            _ => self.schema(value),
        }
    }

    fn reference(&mut self, reference: &str, span: Span) {
        let (message, label) = match reference.strip_prefix('#') {
            Some(name) if pointed(self.root, reference).is_some() || self.anchors.contains(name) => return,
            Some(_) => (format!("unresolved `$ref` `{}`", super::shorten(reference)), "not in this file"),
            None => (
                format!("unsupported `$ref` `{}` into another file", super::shorten(reference)),
                "only references into the same file are supported",
            ),
        };
        self.fault(span, message, label);
    }

    fn word(&mut self, text: &str, span: Span) {
        if TYPES.contains(&text) {
            return;
        }
        let word = Spanned::new(text.to_owned(), span);
        let finding = RULE.at(span, format!("unknown JSON Schema type `{}`", super::shorten(text)));
        budget::enforce(self.out);
        self.out.push(match suggest::nearest(text, TYPES.iter().copied()) {
            Some(near) => super::meant(finding, &word, near),
            None => finding.help(format!("JSON Schema has the types {}", TYPES.join(", "))),
        });
    }

    /// Reports a lower bound above its upper bound.
    fn bounds(&mut self, entries: &[Entry]) {
        let number = |name: &str| {
            let entry = entries.iter().find(|entry| entry.key.value == name)?;
            let Node::Number(number) = &entry.value.node else { return None };
            Some((number.as_f64()?, entry.value.span))
        };
        for (least, most) in BOUNDS {
            if let (Some((low, span)), Some((high, _))) = (number(least), number(most))
                && low > high
            {
                self.fault(span, format!("`{least}` is greater than `{most}`"), "no value can satisfy both");
            }
        }
    }
}
