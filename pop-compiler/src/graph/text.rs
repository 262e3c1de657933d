//! The graph for a terminal: level by level, each operation with its dependencies.

use unicode_width::UnicodeWidthStr as _;

use super::Graph;
use crate::agenda::EdgeKind;

pub(super) fn render(graph: &Graph) -> String {
    let levels = graph.levels();
    let mut rows: Vec<usize> = (0..graph.len()).collect();
    rows.sort_by_key(|&i| levels.get(i).copied().unwrap_or(0));
    let width = rows.iter().map(|&i| graph.name(i).width()).max().unwrap_or(0).min(40);
    let mut incoming: Vec<Vec<(usize, EdgeKind)>> = vec![Vec::new(); graph.len()];
    for (from, to, kind) in graph.edges() {
        incoming[to].push((from, kind));
    }
    let mut text = String::new();
    let mut last = usize::MAX;
    for i in rows {
        let level = levels.get(i).copied().unwrap_or(0);
        if level != last {
            text += &format!("level {level}\n");
            last = level;
        }
        let name = graph.name(i);
        let pad = width.saturating_sub(name.width());
        text += &format!("  {name}{}  {}", " ".repeat(pad), graph.kind(i));
        let list = |wanted: &dyn Fn(EdgeKind) -> bool| {
            incoming[i]
                .iter()
                .filter(|(_, k)| wanted(*k))
                .map(|(from, _)| graph.name(*from))
                .collect::<Vec<_>>()
        };
        let (reads, after) = (list(&|k| k != EdgeKind::Order), list(&|k| k == EdgeKind::Order));
        if !reads.is_empty() {
            text += &format!("  ← {}", shorten(&reads));
        }
        if !after.is_empty() {
            text += &format!("  after {}", shorten(&after));
        }
        text.push('\n');
    }
    text
}

fn shorten(names: &[&str]) -> String {
    match names {
        [a, b, c, d, rest @ ..] if rest.len() > 1 => format!("{a}, {b}, {c}, {d} and {} more", rest.len()),
        names => names.join(", "),
    }
}
