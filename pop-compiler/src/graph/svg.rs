//! The graph as SVG: one file without script, readable on light and on dark pages.

use super::Graph;
use super::layout::{HEIGHT, layout};
use crate::agenda::EdgeKind;

/// Margin around the picture.
const MARGIN: f64 = 16.0;
/// Gap between two columns.
const GAP: f64 = 56.0;
/// Width of one letter; a safe value, because browsers differ.
const LETTER: f64 = 7.8;
/// Longest text in letters. A longer text is cut, and its tooltip shows the whole.
const MAX_LETTERS: usize = 36;

const STYLE: &str = "\
  svg { color: #1f2328; --box: #ffffff; font-family: system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { svg { color: #e6edf3; --box: #1b222c; } }
  .box { fill: var(--box); stroke: currentColor; stroke-opacity: .55; }
  .name, .type { fill: currentColor; text-anchor: middle; }
  .name { font-size: 13px; font-weight: 600; }
  .type { font-size: 11px; opacity: .7; }
  .edge { fill: none; stroke: currentColor; stroke-opacity: .6; stroke-width: 1.4; }
  .order { stroke-dasharray: 5 4; }
  .head { fill: currentColor; }
";

pub(super) fn render(graph: &Graph) -> String {
    let layout = layout(graph);
    let mut widths = vec![0.0_f64; layout.columns];
    for i in 0..graph.len() {
        let letters = cut(graph.name(i)).chars().count().max(cut(graph.kind(i)).chars().count());
        let width = (letters as f64 * LETTER).ceil() + 24.0;
        widths[layout.column[i]] = widths[layout.column[i]].max(width);
    }
    let mut lefts = Vec::with_capacity(widths.len());
    let mut right = MARGIN;
    for width in &widths {
        lefts.push(right);
        right += width + GAP;
    }
    let width = if widths.is_empty() { 2.0 * MARGIN } else { right - GAP + MARGIN };
    let height = layout.height + 2.0 * MARGIN;
    let (width, height) = (round(width), round(height));

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{} operations</title>\n<style>\n{STYLE}</style>\n\
         <defs><marker id=\"pop-head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto-start-reverse\"><path class=\"head\" d=\"M0 0.8 7.6 4 0 7.2z\"/></marker></defs>\n",
        graph.len()
    );
    for (route, kind) in &layout.routes {
        let order = if *kind == EdgeKind::Order { " order" } else { "" };
        let mut path = String::new();
        let mut from: Option<(f64, f64)> = None;
        for point in route {
            let column = layout.column[*point];
            let y = layout.y[*point] + MARGIN;
            let (left, right) = (lefts[column], lefts[column] + widths[column]);
            match from {
                None => path += &format!("M{} {}", round(right), round(y)),
                Some((x, before)) => {
                    let middle = x.midpoint(left);
                    path += &format!(
                        "C{m} {} {m} {} {} {}",
                        round(before),
                        round(y),
                        round(left),
                        round(y),
                        m = round(middle)
                    );
                    if *point >= graph.len() {
                        path += &format!("H{}", round(right));
                    }
                }
            }
            from = Some((right, y));
        }
        svg += &format!("<path class=\"edge{order}\" d=\"{path}\" marker-end=\"url(#pop-head)\"/>\n");
    }
    for i in 0..graph.len() {
        let column = layout.column[i];
        let (x, width) = (lefts[column], widths[column]);
        let top = layout.y[i] - HEIGHT / 2.0 + MARGIN;
        let middle = round(x + width / 2.0);
        svg += &format!(
            "<g><title>{}: {}</title><rect class=\"box\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{HEIGHT}\" rx=\"6\"/>\
             <text class=\"name\" x=\"{middle}\" y=\"{}\">{}</text>\
             <text class=\"type\" x=\"{middle}\" y=\"{}\">{}</text></g>\n",
            escaped(graph.name(i)),
            escaped(graph.kind(i)),
            round(x),
            round(top),
            round(width),
            round(top + 19.0),
            escaped(&cut(graph.name(i))),
            round(top + 34.0),
            escaped(&cut(graph.kind(i))),
        );
    }
    svg + "</svg>\n"
}

/// A number with at most one decimal; `-0` is `0`.
fn round(n: f64) -> f64 {
    (n * 10.0).round() / 10.0 + 0.0
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_LETTERS {
        return text.to_owned();
    }
    text.chars().take(MAX_LETTERS - 1).chain(['…']).collect()
}

/// A text for XML: special characters become entities, and control characters, which XML forbids, become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::agenda;
    use super::*;

    #[test]
    fn texts_can_not_break_out() {
        let name = "a\"</text><script>alert(1)</script>&\u{0}";
        let svg = Graph::new(&agenda(&[(name, json!(null), "")])).to_svg();
        assert!(!svg.contains("<script"));
        assert!(svg.contains("a&quot;&lt;/text&gt;&lt;script&gt;"));
        assert!(!svg.contains('\u{0}'));
    }

    #[test]
    fn order_edges_are_dashed_and_long_names_cut() {
        let long = "x".repeat(90);
        let svg = Graph::new(&agenda(&[
            ("a", json!(null), ""),
            (&long, json!("@<a.out>"), ""),
            ("b", json!(null), "a"),
        ]))
        .to_svg();
        assert_eq!(svg.matches("class=\"edge\"").count(), 1);
        assert_eq!(svg.matches("class=\"edge order\"").count(), 1);
        assert!(svg.contains(&format!("<title>{long}: t</title>")) && svg.contains('…'));
    }

    #[test]
    fn nothing_is_a_picture_too_and_a_cycle_does_not_hang() {
        assert!(Graph::new(&agenda(&[])).to_svg().starts_with("<svg "));
        let svg = Graph::new(&agenda(&[("a", json!(null), "b"), ("b", json!(null), "a")])).to_svg();
        assert_eq!(svg.matches("<rect").count(), 2);
    }

    #[test]
    fn a_thousand_operations_are_drawn_and_always_alike() {
        let names: Vec<(String, String)> = (0..1000)
            .map(|i| {
                (format!("n{i}"), if i < 10 { String::new() } else { format!("n{},n{}", i - 10, i / 2) })
            })
            .collect();
        let operations: Vec<_> =
            names.iter().map(|(n, after)| (n.as_str(), json!(null), after.as_str())).collect();
        let agenda = agenda(&operations);
        let svg = Graph::new(&agenda).to_svg();
        assert_eq!(svg.matches("<rect").count(), 1000);
        assert_eq!(svg, Graph::new(&agenda).to_svg());
    }
}
