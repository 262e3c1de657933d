//! Order: a topological order with ties by name, and each circle as a path. No function recurses.

use std::collections::{BTreeSet, HashMap, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::diagnostic::Diagnostic;
use crate::model::{Edge, Model, Operation};
use crate::rules;

/// The operations that are in no circle and wait for none, each after those it waits for; then the others, by name, and
/// how many these are.
pub(super) fn order(model: &Model<'_>, out: &mut Vec<Diagnostic>) -> (Vec<usize>, usize) {
    let operations = &model.operations;
    let mut waiting: Vec<usize> = operations.iter().map(|operation| operation.edges.len()).collect();
    let next = Dependents::of(operations);
    let by_name = by_name(model);
    let mut rank = vec![0; operations.len()];
    for (r, i) in by_name.iter().enumerate() {
        rank[*i] = r;
    }
    let mut ready: BTreeSet<usize> = by_name.iter().filter(|i| waiting[**i] == 0).map(|i| rank[*i]).collect();
    let mut order = Vec::with_capacity(operations.len());
    while let Some(r) = ready.pop_first() {
        let i = by_name[r];
        order.push(i);
        for j in next.get(i) {
            waiting[*j] -= 1;
            if waiting[*j] == 0 {
                ready.insert(rank[*j]);
            }
        }
    }
    let in_circles = operations.len() - order.len();
    if in_circles > 0 {
        let left: Vec<usize> = by_name.into_iter().filter(|i| waiting[*i] > 0).collect();
        circles(model, &left, out);
        order.extend(left);
    }
    (order, in_circles)
}

/// The operations by name.
fn by_name(model: &Model<'_>) -> Vec<usize> {
    let mut keys: Vec<(u128, usize)> =
        model.beginnings.iter().enumerate().map(|(i, key)| (*key, i)).collect();
    let name = |i: usize| &model.operations[i].ast.name.value;
    keys.sort_by(|(a, i), (b, j)| a.cmp(b).then_with(|| name(*i).cmp(name(*j))));
    keys.into_iter().map(|(_, i)| i).collect()
}

/// Who waits for each operation: one list for all, and where each one's part of it begins.
struct Dependents {
    starts: Vec<usize>,
    all: Vec<usize>,
}

impl Dependents {
    fn of(operations: &[Operation<'_>]) -> Self {
        let mut starts = vec![0; operations.len() + 1];
        let edges =
            || operations.iter().enumerate().flat_map(|(i, o)| o.edges.iter().map(move |e| (i, e.to)));
        for (_, to) in edges() {
            starts[to + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut free = starts.clone();
        let mut all = vec![0; edges().count()];
        for (i, to) in edges() {
            all[free[to]] = i;
            free[to] += 1;
        }
        Self { starts, all }
    }

    fn get(&self, operation: usize) -> &[usize] {
        &self.all[self.starts[operation]..self.starts[operation + 1]]
    }
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
