//! Order: a topological order with ties by name, and each circle as a path. Nothing here is recursive.

use std::collections::{BTreeSet, HashMap, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{Edge, Model};
use crate::diagnostic::Diagnostic;
use crate::rules;

/// The operations that are in no circle and wait for none, each after those it waits for; then the others, by name.
pub(super) fn order(model: &Model<'_>, out: &mut Vec<Diagnostic>) -> Vec<usize> {
    let operations = &model.operations;
    let mut waiting: Vec<usize> = vec![0; operations.len()];
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); operations.len()];
    for (i, operation) in operations.iter().enumerate() {
        waiting[i] = operation.edges.len();
        for edge in &operation.edges {
            next[edge.to].push(i);
        }
    }
    let mut by_name: Vec<usize> = (0..operations.len()).collect();
    by_name.sort_by_key(|i| &operations[*i].ast.name.value);
    let mut rank = vec![0; operations.len()];
    for (r, i) in by_name.iter().enumerate() {
        rank[*i] = r;
    }
    let mut ready: BTreeSet<usize> = by_name.iter().filter(|i| waiting[**i] == 0).map(|i| rank[*i]).collect();
    let mut order = Vec::with_capacity(operations.len());
    while let Some(r) = ready.pop_first() {
        let i = by_name[r];
        order.push(i);
        for j in &next[i] {
            waiting[*j] -= 1;
            if waiting[*j] == 0 {
                ready.insert(rank[*j]);
            }
        }
    }
    if order.len() < operations.len() {
        let left: Vec<usize> = by_name.into_iter().filter(|i| waiting[*i] > 0).collect();
        circles(model, &left, out);
        order.extend(left);
    }
    order
}

/// One finding for each set of operations that wait for each other.
fn circles(model: &Model<'_>, left: &[usize], out: &mut Vec<Diagnostic>) {
    let mut graph: DiGraph<usize, ()> = DiGraph::with_capacity(left.len(), left.len());
    let nodes: HashMap<usize, NodeIndex> = left.iter().map(|i| (*i, graph.add_node(*i))).collect();
    for i in left {
        for edge in &model.operations[*i].edges {
            if let (Some(a), Some(b)) = (nodes.get(i), nodes.get(&edge.to)) {
                graph.add_edge(*a, *b, ());
            }
        }
    }
    let mut found: Vec<Vec<usize>> = kosaraju_scc(&graph)
        .into_iter()
        .filter(|component| component.len() > 1)
        .map(|component| component.into_iter().map(|n| graph[n]).collect())
        .collect();
    for component in &mut found {
        component.sort_unstable(); // source order
    }
    found.sort();
    for component in found {
        let path = shortest(model, &component);
        let named: Vec<_> =
            path.iter().map(|(i, edge)| (model.operations[*i].ast.name.value.as_str(), edge.span)).collect();
        out.push(rules::cycle::report(&named));
    }
}

/// The shortest circle through the first operation of a component, by breadth-first search.
fn shortest(model: &Model<'_>, component: &[usize]) -> Vec<(usize, Edge)> {
    let Some(&start) = component.first() else { return Vec::new() };
    let inside: BTreeSet<usize> = component.iter().copied().collect();
    let mut came_from: HashMap<usize, (usize, Edge)> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(i) = queue.pop_front() {
        for edge in model.operations[i].edges.iter().filter(|e| inside.contains(&e.to)) {
            if came_from.contains_key(&edge.to) {
                continue;
            }
            came_from.insert(edge.to, (i, *edge));
            if edge.to == start {
                let mut path = Vec::new();
                let mut at = start;
                while let Some((from, edge)) = came_from.get(&at) {
                    path.push((*from, *edge));
                    at = *from;
                    if at == start {
                        break;
                    }
                }
                path.reverse();
                return path;
            }
            queue.push_back(edge.to);
        }
    }
    Vec::new()
}
