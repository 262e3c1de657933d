//! Agendas and templates in their JSON form: parsed with spans, checked by `validate`.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::Compiled;
use crate::agenda::{Agenda, AgendaTemplate};
use crate::diagnostic::{Diagnostic, Label, Location, has_errors};
use crate::source::{FileId, Format, Places, Source, Sources, Span};
use crate::syntax;
use crate::tree::{Node, Table, Tree};
use crate::validate;
use crate::{fix, rules};

/// Whether this JSON text is an agenda (with a list of `operations`) or a template (with an `agenda`), and not a
/// workflow.
pub fn is_native(text: &str) -> bool {
    matches!(
        kind(&syntax::parse(FileId(0), text, Format::Json, &mut Vec::new())),
        Some(Kind::Agenda | Kind::Template)
    )
}

enum Kind {
    Agenda,
    Template,
}

fn kind(tree: &Tree) -> Option<Kind> {
    let Node::Table(table) = &tree.node else { return None };
    let find = |name: &str| table.entries.iter().find(|e| e.key.value == name).map(|e| &e.value.node);
    match (find("operations"), find("agenda")) {
        (_, Some(Node::Table(_))) => Some(Kind::Template),
        (Some(Node::List(_)), _) => Some(Kind::Agenda),
        _ => None,
    }
}

/// Checks an agenda or a template in its JSON form. Findings point into the text.
pub fn check_native(source: Source) -> Compiled {
    let mut sources = Sources::new();
    let text = source.text.clone();
    let file = sources.add(source);
    let mut out = Vec::new();
    let tree = syntax::parse(file, &text, Format::Json, &mut out);
    let mut compiled = Compiled::nothing(sources);
    // what was read as if it were mended is checked, too
    if out.iter().all(|finding| finding.read) {
        let json = tree.to_json();
        match kind(&tree) {
            Some(Kind::Template) => match serde_json::from_value::<AgendaTemplate>(json) {
                Ok(template) => {
                    out.extend(validate::template(&template));
                    compiled.template = Some(template);
                }
                Err(error) => {
                    out.push(rules::wrong_shape::native(
                        opening(tree.span, &text),
                        "template",
                        &error.to_string(),
                    ));
                }
            },
            _ => match serde_json::from_value::<Agenda>(json) {
                Ok(agenda) => {
                    out.extend(validate::agenda(&agenda));
                    compiled.agenda = Some(agenda);
                }
                Err(error) => {
                    out.push(rules::wrong_shape::native(
                        opening(tree.span, &text),
                        "agenda",
                        &error.to_string(),
                    ));
                }
            },
        }
    }
    // what seems to be absent may be where the text is broken
    if out.iter().any(|finding| finding.rule == rules::syntax::RULE.id) {
        out.retain(|finding| !rules::find(finding.rule).is_some_and(|rule| rule.absence));
    }
    place(&mut out, &tree, &text);
    compiled.source_map = source_map(&tree);
    if has_errors(&out) {
        (compiled.template, compiled.agenda) = (None, None);
    }
    out.sort_by(|a, b| (&a.primary.at, a.rule).cmp(&(&b.primary.at, b.rule)));
    fix::complete(&mut out, &compiled.sources);
    compiled.diagnostics = out;
    compiled
}

/// Parses plain data, such as the inputs of a run. Returns the value and the findings about the text.
pub fn data(source: Source, format: Format) -> (Json, Sources, Vec<Diagnostic>) {
    let mut out = Vec::new();
    let mut sources = Sources::new();
    let text = source.text.clone();
    let tree = syntax::parse(sources.add(source), &text, format, &mut out);
    (tree.to_json(), sources, out)
}

/// Turns pointers into the data of [`data`] into spans of its text. Pointers that start with `other` stay.
pub fn place_in_data(findings: &mut [Diagnostic], sources: &Sources, format: Format, other: &str) {
    let Some((file, source)) = sources.iter().next() else { return };
    let tree = syntax::parse(file, &source.text, format, &mut Vec::new());
    for finding in findings {
        let elsewhere = matches!(&finding.primary.at, Location::Pointer(p) if p.starts_with(other));
        if !elsewhere {
            place(std::slice::from_mut(finding), &tree, &source.text);
        }
    }
}

/// Turns pointers into spans of the text.
fn place(out: &mut [Diagnostic], tree: &Tree, text: &str) {
    let locate = |label: &mut Label| {
        if let Location::Pointer(pointer) = &label.at {
            label.at = Location::Span(span_at(tree, pointer, text));
        }
    };
    for finding in out {
        locate(&mut finding.primary);
        finding.secondary.iter_mut().for_each(locate);
    }
}

/// First letter at `span`: mostly a bracket.
fn opening(span: Span, text: &str) -> Span {
    let range = span.range();
    let first = text[range.clone()].chars().next().map_or(0, char::len_utf8);
    Span::new(span.file, range.start, range.start + first)
}

/// Span of a pointer's target, or of the last existing part on the way.
fn span_at(tree: &Tree, pointer: &str, text: &str) -> Span {
    let mut at = tree;
    let mut span = opening(tree.span, text);
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match &at.node {
            Node::Table(Table { entries, .. }) => {
                entries.iter().find(|e| e.key.value == step).map(|e| (&e.value, e.key.span))
            }
            Node::List(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)).map(|t| (t, t.span)),
            _ => None,
        };
        let Some((tree, key)) = next else { break };
        at = tree;
        span = match &tree.node {
            // a whole table or list is too much to underline: its key, or its opening bracket
            Node::Table(_) | Node::List(_) if key != tree.span => key,
            Node::Table(_) | Node::List(_) => opening(tree.span, text),
            _ => tree.span,
        };
    }
    span
}

fn source_map(tree: &Tree) -> Places {
    let mut map: HashMap<String, Span> = HashMap::new();
    let find = |tree: &Tree, name: &str| match &tree.node {
        Node::Table(table) => table.entries.iter().find(|e| e.key.value == name).map(|e| e.value.clone()),
        _ => None,
    };
    let agenda = find(tree, "agenda");
    let operations = find(agenda.as_ref().unwrap_or(tree), "operations");
    if let Some(Tree { node: Node::List(operations), .. }) = operations {
        for operation in operations {
            if let Some(Tree { node: Node::String(name), span }) = find(&operation, "name") {
                map.insert(name.value, span);
            }
        }
    }
    map.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules_at(text: &str) -> Vec<(&'static str, String)> {
        let compiled = check_native(Source::new("x.agenda.json", text));
        let at = |d: &Diagnostic| match d.primary.at {
            Location::Span(span) => text[span.range()].to_owned(),
            Location::Pointer(ref p) => p.clone(),
        };
        compiled.diagnostics.iter().map(|d| (d.rule, at(d))).collect()
    }

    #[test]
    fn natives_are_told_from_workflows() {
        assert!(is_native(r#"{"operations": []}"#));
        assert!(is_native(r#"{"agenda": {"operations": []}}"#));
        assert!(!is_native(r#"{"workflow": {"name": "x"}, "operations": {}}"#));
        assert!(!is_native("nonsense"));
    }

    #[test]
    fn findings_point_into_the_text() {
        let text = r#"{ "operations": [ { "name": "a", "type": "x", "payload": { "v": "@<nope.out>" } } ] }"#;
        assert_eq!(rules_at(text), [("unknown-output", "\"@<nope.out>\"".to_owned())]);
        assert_eq!(rules_at(r#"{ "operations": [] }"#), [("empty-workflow", "\"operations\"".to_owned())]);
        assert_eq!(rules_at(r#"{ "operations": [5] }"#)[0].0, "wrong-shape");
        assert_eq!(rules_at("{")[0].0, "syntax");
    }
}
