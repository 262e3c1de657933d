//! The graph in Mermaid's language.

use super::Graph;
use crate::agenda::EdgeKind;

pub(super) fn render(graph: &Graph) -> String {
    let mut text = String::from("flowchart LR\n");
    for i in 0..graph.len() {
        text += &format!(
            "  n{i}[\"{}<br/><small>{}</small>\"]\n",
            escaped(graph.name(i)),
            escaped(graph.kind(i))
        );
    }
    for (from, to, kind) in graph.edges() {
        let arrow = if kind == EdgeKind::Order { "-.->" } else { "-->" };
        text += &format!("  n{from} {arrow} n{to}\n");
    }
    text
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '<' | '>' | '&' | '#' | '[' | ']' | '`' => out += &format!("#{};", u32::from(c)),
            '\n' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
