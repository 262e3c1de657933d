//! The graph in Graphviz's language.

use super::Graph;
use crate::agenda::EdgeKind;

pub(super) fn render(graph: &Graph) -> String {
    let mut text =
        String::from("digraph workflow {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for i in 0..graph.len() {
        text += &format!("  n{i} [label=\"{}\\n{}\"];\n", quoted(graph.name(i)), quoted(graph.kind(i)));
    }
    for (from, to, kind) in graph.edges() {
        let style = if kind == EdgeKind::Order { " [style=dashed]" } else { "" };
        text += &format!("  n{from} -> n{to}{style};\n");
    }
    text + "}\n"
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}
