//! Layout of the boxes of a picture: columns by level, rows by connection. An edge over several columns gets a place in
//! each of them, so that the edge runs between the boxes.

use super::Graph;
use crate::agenda::EdgeKind;

/// Height of a box.
pub(super) const HEIGHT: f64 = 44.0;
/// Height reserved for an edge that passes a column.
const LANE: f64 = 12.0;
/// Gap between two rows.
const GAP: f64 = 16.0;
/// Passes over all columns, back and forth, for a good order and straight edges.
const PASSES: usize = 6;
/// Most lanes for each box and edge. A larger picture is unreadable anyway, and goes without lanes.
const MAX_LANES: usize = 8;

/// Geometry of a picture in columns and rows.
pub(super) struct Layout {
    /// Column of each point: first the operations in their order, then the lanes.
    pub(super) column: Vec<usize>,
    /// Vertical middle of each point.
    pub(super) y: Vec<f64>,
    /// The points of each edge, and its kind.
    pub(super) routes: Vec<(Vec<usize>, EdgeKind)>,
    /// Number of columns.
    pub(super) columns: usize,
    /// Total height.
    pub(super) height: f64,
}

pub(super) fn layout(graph: &Graph) -> Layout {
    let mut column = graph.levels();
    column.resize(graph.len(), 0); // a cycle has no levels; such a graph is one column
    let columns = column.iter().max().map_or(0, |deepest| deepest + 1);
    let routes = routes(graph, &mut column);
    let mut links = Links { before: vec![Vec::new(); column.len()], after: vec![Vec::new(); column.len()] };
    for (route, _) in &routes {
        for step in route.windows(2) {
            links.after[step[0]].push(step[1]);
            links.before[step[1]].push(step[0]);
        }
    }
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); columns];
    for (point, column) in column.iter().enumerate() {
        rows[*column].push(point);
    }
    order(&mut rows, &links);
    let size = |point: usize| if point < graph.len() { HEIGHT } else { LANE };
    let mut y = place(&rows, &links, &size);
    let top = (0..y.len()).map(|p| y[p] - size(p) / 2.0).fold(f64::INFINITY, f64::min);
    for y in &mut y {
        *y -= top;
    }
    let height = (0..y.len()).map(|p| y[p] + size(p) / 2.0).fold(0.0, f64::max);
    Layout { column, y, routes, columns, height }
}

struct Links {
    before: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
}

/// The edges; adds lanes to `column` for the columns that an edge passes.
fn routes(graph: &Graph, column: &mut Vec<usize>) -> Vec<(Vec<usize>, EdgeKind)> {
    let edges: Vec<_> = graph.edges().collect();
    let lanes: usize = edges.iter().map(|(a, b, _)| column[*b].saturating_sub(column[*a] + 1)).sum();
    let lanes = lanes <= MAX_LANES * (graph.len() + edges.len());
    edges
        .into_iter()
        .map(|(from, to, kind)| {
            let mut route = vec![from];
            if lanes {
                for passed in column[from] + 1..column[to] {
                    route.push(column.len());
                    column.push(passed);
                }
            }
            route.push(to);
            (route, kind)
        })
        .collect()
}

/// Orders each column by the mean row of the connected points, from left to right and back.
fn order(rows: &mut [Vec<usize>], links: &Links) {
    let mut row = vec![0.0; links.before.len()];
    let number = |points: &[usize], row: &mut Vec<f64>| {
        for (i, point) in points.iter().enumerate() {
            row[*point] = i as f64;
        }
    };
    for points in &*rows {
        number(points, &mut row);
    }
    for pass in 0..PASSES {
        let forward = pass % 2 == 0;
        for step in 0..rows.len() {
            let column = if forward { step } else { rows.len() - 1 - step };
            let near = if forward { &links.before } else { &links.after };
            let mut keyed: Vec<(f64, usize)> =
                rows[column].iter().map(|p| (mean(&near[*p], &row).unwrap_or(row[*p]), *p)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0)); // stable, so ties keep their order
            rows[column] = keyed.into_iter().map(|(_, point)| point).collect();
            number(&rows[column], &mut row);
        }
    }
}

/// Gives each point a height near its connected points, in the order of its column, with the minimal gap.
fn place(rows: &[Vec<usize>], links: &Links, size: &dyn Fn(usize) -> f64) -> Vec<f64> {
    let mut y = vec![0.0; links.before.len()];
    let apart = |a: usize, b: usize| size(a).midpoint(size(b)) + GAP;
    for points in rows {
        let mut at = 0.0;
        for (i, point) in points.iter().enumerate() {
            at += if i == 0 { 0.0 } else { apart(points[i - 1], *point) };
            y[*point] = at;
        }
        for point in points {
            y[*point] -= at / 2.0;
        }
    }
    for pass in 0..PASSES {
        let forward = pass % 2 == 0;
        for step in 0..rows.len() {
            let points = &rows[if forward { step } else { rows.len() - 1 - step }];
            let near = if forward { &links.before } else { &links.after };
            let wish: Vec<f64> = points.iter().map(|p| mean(&near[*p], &y).unwrap_or(y[*p])).collect();
            // pushed down by the one above, and pushed up by the one below: the middle of both keeps the distances
            let (mut down, mut up) = (wish.clone(), wish);
            for i in 1..points.len() {
                down[i] = down[i].max(down[i - 1] + apart(points[i - 1], points[i]));
            }
            for i in (1..points.len()).rev() {
                up[i - 1] = up[i - 1].min(up[i] - apart(points[i - 1], points[i]));
            }
            for (i, point) in points.iter().enumerate() {
                y[*point] = down[i].midpoint(up[i]);
            }
        }
    }
    y
}

fn mean(points: &[usize], of: &[f64]) -> Option<f64> {
    let sum: f64 = points.iter().map(|p| of[*p]).sum();
    (!points.is_empty()).then(|| sum / points.len() as f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::agenda;
    use super::*;

    /// How many pairs of edges between neighbouring columns cross.
    fn crossings(layout: &Layout) -> usize {
        let steps: Vec<_> = layout.routes.iter().flat_map(|(r, _)| r.windows(2)).collect();
        let cross = |a: &[usize], b: &[usize]| {
            layout.column[a[0]] == layout.column[b[0]]
                && (layout.y[a[0]] - layout.y[b[0]]) * (layout.y[a[1]] - layout.y[b[1]]) < 0.0
        };
        (0..steps.len()).map(|i| (0..i).filter(|j| cross(steps[i], steps[*j])).count()).sum()
    }

    #[test]
    fn ordering_untangles_what_can_be_untangled() {
        let graph = Graph::new(&agenda(&[
            ("a", json!(null), ""),
            ("b", json!(null), ""),
            ("c", json!(null), ""),
            ("x", json!("@<c.out>"), ""),
            ("y", json!("@<b.out>"), ""),
            ("z", json!("@<a.out>"), ""),
        ]));
        assert_eq!(crossings(&layout(&graph)), 0);
    }

    #[test]
    fn boxes_of_a_column_never_overlap_and_long_edges_get_lanes() {
        let rows: Vec<(String, String)> = (0..60)
            .map(|i| {
                let after: Vec<String> =
                    (0..i).filter(|j| (i * 7 + j * 3) % 11 == 0).map(|j| format!("n{j}")).collect();
                (format!("n{i}"), after.join(","))
            })
            .collect();
        let operations: Vec<_> =
            rows.iter().map(|(n, after)| (n.as_str(), json!(null), after.as_str())).collect();
        let layout = layout(&Graph::new(&agenda(&operations)));
        assert!(layout.column.len() > 60, "some edges pass columns");
        for column in 0..layout.columns {
            let mut ys: Vec<f64> =
                (0..60).filter(|i| layout.column[*i] == column).map(|i| layout.y[i]).collect();
            ys.sort_by(f64::total_cmp);
            assert!(ys.windows(2).all(|w| w[1] - w[0] >= HEIGHT + GAP - 0.01), "{ys:?}");
        }
        assert!(layout.y.iter().all(|y| *y >= 0.0 && *y <= layout.height));
    }

    #[test]
    fn a_straight_chain_is_straight() {
        let graph = Graph::new(&agenda(&[
            ("a", json!(null), ""),
            ("b", json!("@<a.out>"), ""),
            ("c", json!("@<b.out>"), "a"),
        ]));
        let layout = layout(&graph);
        assert_eq!(layout.columns, 3);
        assert!(layout.height < 120.0, "{}", layout.height);
    }
}
