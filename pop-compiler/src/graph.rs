//! The dependencies of an agenda: references in payloads and conditions, and `dependsOn`. Every algorithm is iterative
//! and linear in the agenda's size; the ordering adds a logarithm.

mod dot;
mod layout;
mod mermaid;
mod svg;
mod text;

use std::collections::{BTreeSet, HashMap};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

use crate::agenda::{Agenda, EdgeKind, dependencies, keys};
use crate::generator::{FanOut, Promised, Promises, number};

/// The dependency graph of an agenda. An edge leads from an operation to one that waits for it. Promises of generators
/// are nodes, too, after all operations.
#[derive(Clone, Debug)]
pub struct Graph {
    nodes: DiGraph<String, EdgeKind>,
    kinds: Vec<String>,
    /// For the nodes after the operations: the generator of the promise.
    makers: Vec<usize>,
}

impl Graph {
    /// The graph of an agenda, without dependencies on unknown operations.
    pub fn new(agenda: &Agenda) -> Self {
        Self::with_families(agenda, &[])
    }

    /// As [`new`](Self::new), for operations of families: a reference to a whole family is an edge from each member.
    pub(crate) fn with_families(agenda: &Agenda, families: &[&str]) -> Self {
        let mut graph = DiGraph::with_capacity(agenda.operations.len(), agenda.operations.len());
        let mut index = HashMap::with_capacity(agenda.operations.len());
        for operation in &agenda.operations {
            let node = graph.add_node(operation.name.clone());
            index.entry(operation.name.as_str()).or_insert(node);
        }
        let promises = Promises::new(&agenda.operations);
        let mut kinds: Vec<String> = agenda.operations.iter().map(|o| o.kind.clone()).collect();
        let mut makers = Vec::with_capacity(promises.list().len());
        let first = agenda.operations.len();
        for Promised { generator, promise } in promises.list() {
            let node = graph.add_node(promise.text());
            graph.add_edge(NodeIndex::new(*generator), node, EdgeKind::Required);
            makers.push(*generator);
            kinds.push(String::new());
        }
        let first_family = graph.node_count();
        for stem in families {
            let node = graph.add_node(format!("{stem}.*"));
            makers.push(0);
            kinds.push(String::new());
            for (i, operation) in agenda.operations.iter().enumerate() {
                let (base, n) = operation.name.rsplit_once('.').unwrap_or_default();
                if base == *stem && number(n).is_some() {
                    makers[node.index() - first] = i;
                    graph.add_edge(NodeIndex::new(i), node, EdgeKind::Required);
                }
            }
        }
        let family = |name: &str| {
            let at = families.iter().position(|stem| name.strip_suffix(".*").unwrap_or(name) == *stem)?;
            Some(NodeIndex::new(first_family + at))
        };
        // Several names may mean one family; of several reasons the strongest counts.
        let edge = |graph: &mut DiGraph<String, EdgeKind>, from: NodeIndex, to, kind: EdgeKind| {
            let known = if from.index() < first { None } else { graph.find_edge(from, to) };
            match known.and_then(|known| graph.edge_weight_mut(known)) {
                Some(known) => *known = kind.max(*known),
                None => drop(graph.add_edge(from, to, kind)),
            }
        };
        let fanned = |name: &str| {
            let (stem, _) = name.rsplit_once('.')?;
            let node = *index.get(stem)?;
            agenda.operations[node.index()].params.contains_key(keys::EACH).then_some(node)
        };
        let find = |name: &str| {
            let known = index.get(name).copied();
            let promised = || promises.find(name).map(|(at, _)| NodeIndex::new(first + at));
            known.or_else(promised).or_else(|| family(name)).or_else(|| fanned(name))
        };
        for (i, operation) in agenda.operations.iter().enumerate() {
            for dependency in dependencies(operation) {
                if let Some(from) = find(&dependency.name) {
                    edge(&mut graph, from, NodeIndex::new(i), dependency.kind);
                }
            }
        }
        // What stands in the place of an operation that fans out waits for what its parts wait for.
        for (i, operation) in agenda.operations.iter().enumerate() {
            if !operation.params.contains_key(keys::EACH) {
                continue;
            }
            let Ok(Some(fan_out)) = FanOut::of(operation) else { continue };
            for dependency in fan_out.waits_for() {
                if let Some(from) = find(&dependency.name) {
                    edge(&mut graph, from, NodeIndex::new(i), dependency.kind);
                }
            }
        }
        // What the operations to be made wait for, their promised names wait for.
        for (at, Promised { generator, promise }) in promises.list().iter().enumerate() {
            let Ok(Some(fan_out)) = FanOut::of(&agenda.operations[*generator]) else { continue };
            let node = NodeIndex::new(first + at);
            for operation in &fan_out.operations {
                if operation.name == promise.stem() {
                    kinds[first + at].clone_from(&operation.kind);
                }
            }
            for dependency in fan_out.waits_for() {
                if let Some(from) = find(&dependency.name) {
                    edge(&mut graph, from, node, dependency.kind);
                }
            }
        }
        Self { nodes: graph, kinds, makers }
    }

    /// The operation of a node, or the generator of a promise.
    pub fn operation(&self, node: usize) -> usize {
        let operations = self.len() - self.makers.len();
        node.checked_sub(operations).and_then(|at| self.makers.get(at)).copied().unwrap_or(node)
    }

    /// Number of operations and promises.
    pub fn len(&self) -> usize {
        self.nodes.node_count()
    }

    /// Whether the graph has no nodes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of an operation.
    pub fn name(&self, operation: usize) -> &str {
        &self.nodes[NodeIndex::new(operation)]
    }

    /// Type of an operation.
    pub fn kind(&self, operation: usize) -> &str {
        &self.kinds[operation]
    }

    /// All edges: from, to, strength.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize, EdgeKind)> {
        self.nodes.edge_references().map(|e| (e.source().index(), e.target().index(), *e.weight()))
    }

    /// The operations that wait for an operation, with the strength of each edge.
    pub fn dependents(&self, operation: usize) -> impl Iterator<Item = (usize, EdgeKind)> {
        self.nodes.edges(NodeIndex::new(operation)).map(|e| (e.target().index(), *e.weight()))
    }

    /// The operations that an operation waits for.
    pub fn waits_for(&self, operation: usize) -> impl Iterator<Item = usize> {
        self.nodes
            .neighbors_directed(NodeIndex::new(operation), petgraph::Direction::Incoming)
            .map(NodeIndex::index)
    }

    /// A topological order, ties by name.
    ///
    /// # Errors
    /// The operations of one cycle, in the order in which they wait for each other.
    pub fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut unmet: Vec<usize> = (0..self.len()).map(|i| self.waits_for(i).count()).collect();
        let free = |i: usize| (self.name(i), i);
        let mut ready: BTreeSet<(&str, usize)> =
            (0..self.len()).filter(|&i| unmet[i] == 0).map(free).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some((_, next)) = ready.pop_first() {
            order.push(next);
            for (to, _) in self.dependents(next) {
                unmet[to] -= 1;
                if unmet[to] == 0 {
                    ready.insert(free(to));
                }
            }
        }
        match unmet.iter().position(|&n| n > 0) {
            None => Ok(order),
            Some(start) => Err(self.a_cycle(start, &|i| unmet[i] > 0)),
        }
    }

    /// Every cycle once: one way round for each knot of operations that wait for each other.
    pub fn cycles(&self) -> Vec<Vec<usize>> {
        let knots = petgraph::algo::kosaraju_scc(&self.nodes);
        let mut knot_of = vec![0; self.len()];
        for (number, knot) in knots.iter().enumerate() {
            for node in knot {
                knot_of[node.index()] = number;
            }
        }
        let mut cycles: Vec<Vec<usize>> = knots
            .iter()
            .enumerate()
            .filter(|(_, knot)| knot.len() > 1)
            .filter_map(|(number, knot)| {
                let start = knot.iter().map(|node| node.index()).min()?;
                Some(self.a_cycle(start, &|i| knot_of[i] == number))
            })
            .collect();
        cycles.sort_unstable();
        cycles
    }

    /// Depth of each operation: the longest path from an operation without dependencies. Empty for a graph with a
    /// cycle.
    pub fn levels(&self) -> Vec<usize> {
        let Ok(order) = self.order() else { return Vec::new() };
        let mut level = vec![0; self.len()];
        for i in order {
            for (to, _) in self.dependents(i) {
                level[to] = level[to].max(level[i] + 1);
            }
        }
        level
    }

    /// A cycle among the operations that are `inside`, starting at `start`: each waits for another one of them.
    fn a_cycle(&self, start: usize, inside: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let mut seen = HashMap::new();
        let mut path = Vec::new();
        let mut here = start;
        loop {
            if let Some(&from) = seen.get(&here) {
                let mut cycle: Vec<usize> = path.split_off(from);
                // The path went backwards; turn it, and begin with the first by position so that it always prints alike.
                cycle.reverse();
                let first = cycle.iter().enumerate().min_by_key(|(_, n)| **n).map_or(0, |(i, _)| i);
                cycle.rotate_left(first);
                return cycle;
            }
            seen.insert(here, path.len());
            path.push(here);
            match self.waits_for(here).filter(|&i| inside(i)).min() {
                Some(next) => here = next,
                None => return path,
            }
        }
    }

    /// The graph as a picture for a terminal.
    pub fn to_text(&self) -> String {
        text::render(self)
    }

    /// The graph in Graphviz's language.
    pub fn to_dot(&self) -> String {
        dot::render(self)
    }

    /// The graph as an SVG picture.
    pub fn to_svg(&self) -> String {
        svg::render(self)
    }

    /// The graph in Mermaid's language.
    pub fn to_mermaid(&self) -> String {
        mermaid::render(self)
    }
}

#[cfg(test)]
mod tests;
