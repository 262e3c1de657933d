//! `bad-schema`: a file that is no JSON Schema we can read.

use super::Rule;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Span, Spanned};
use crate::suggest;
use crate::tree::{Node, Tree};

pub(crate) const RULE: Rule = Rule {
    id: "bad-schema",
    severity: Severity::Error,
    summary: "a file that is no JSON Schema we can read",
    explanation: "`input = { schema = \"probe.schema.json\" }` takes a type from a JSON Schema (2020-12) file. Each `$ref` in it must lead to a place in the same file, and each \
`type` must be one of JSON's. The finding is in the schema file.",
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
};

const TYPES: &[&str] = &["null", "boolean", "object", "array", "number", "integer", "string"];

/// A schema that is too large once every `$ref` in it is followed.
pub(crate) fn too_large(span: Span) -> Diagnostic {
    let message = "the schema is too large: with every `$ref` followed it has more than 400000 parts";
    RULE.at(span, message).label("too large").help(
        "a definition that others name twice counts twice; leave parts out, or use `{}` (anything) for them",
    )
}

/// Faults of a schema that would leave its type unknown.
pub(crate) fn check(tree: &Tree, out: &mut Vec<Diagnostic>) {
    if !matches!(tree.node, Node::Table(_) | Node::Bool(_) | Node::Error) {
        let message = format!("a JSON Schema is an object, not {}", tree.node.describe());
        out.push(RULE.at(tree.span, message).label("expected an object"));
        return;
    }
    let root = tree.to_json();
    walk(tree, &root, out);
}

/// Recursion is bounded by the depth of the tree.
fn walk(tree: &Tree, root: &serde_json::Value, out: &mut Vec<Diagnostic>) {
    match &tree.node {
        Node::List(items) => items.iter().for_each(|item| walk(item, root, out)),
        Node::Table(table) => {
            for entry in &table.entries {
                match (entry.key.value.as_str(), &entry.value.node) {
                    // these hold names of the user's or plain values, no schemas
                    ("const" | "enum" | "default" | "examples", _) => {}
                    ("properties" | "$defs" | "definitions" | "patternProperties", Node::Table(named)) => {
                        named.entries.iter().for_each(|e| walk(&e.value, root, out));
                    }
                    ("$ref", Node::String(text)) => {
                        let reference = text.value.as_str();
                        let found = reference.strip_prefix('#').map(|p| root.pointer(p).is_some());
                        let (message, label) = match found {
                            Some(true) => continue,
                            Some(false) => (format!("`{reference}` leads nowhere"), "not in this file"),
                            None => (
                                format!("`{}` is in another file", super::shorten(reference)),
                                "only references into this file are followed",
                            ),
                        };
                        out.push(RULE.at(entry.value.span, message).label(label));
                    }
                    ("type", Node::String(text)) if !TYPES.contains(&text.value.as_str()) => {
                        let word = Spanned::new(text.value.clone(), entry.value.span);
                        let finding =
                            RULE.at(word.span, format!("`{}` is no type of JSON Schema", word.value));
                        out.push(match suggest::nearest(&word.value, TYPES.iter().copied()) {
                            Some(near) => super::meant(finding, &word, near),
                            None => finding.help(format!("its types are {}", TYPES.join(", "))),
                        });
                    }
                    _ => walk(&entry.value, root, out),
                }
            }
        }
        _ => {}
    }
}
