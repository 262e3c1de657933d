//! Who waits for whom in an agenda: through references in payloads and conditions, and through `dependsOn`. Everything
//! is iterative and linear in the agenda's size (ordering adds a logarithm).

mod dot;
mod layout;
mod mermaid;
mod svg;
mod text;

use std::collections::{BTreeSet, HashMap};

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;
use serde_json::Value;

use crate::agenda::{Agenda, Operation, keys};
use crate::reference;

/// Why one operation waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// Order only.
    Order,
    /// It reads the output, and each such reference has a default.
    Optional,
    /// It can't do without the output.
    Required,
}

/// Something that an operation says it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The operation's name.
    pub name: String,
    /// Why.
    pub kind: EdgeKind,
    /// Where it says so: a JSON pointer inside the operation.
    pub pointer: String,
    /// The reference as written; none for `dependsOn`.
    pub token: Option<String>,
}

/// What an operation says it waits for, in the order of writing, each place once.
pub fn dependencies(operation: &Operation) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut collect = |at: &str, token: &reference::Token<'_>, field: &str| {
        if let Some(name) = reference::operation_of(token.name) {
            let kind = if token.default.is_some() { EdgeKind::Optional } else { EdgeKind::Required };
            let pointer = format!("{field}{at}");
            found.push(Dependency {
                name: name.to_owned(),
                kind,
                pointer,
                token: Some(token.text.to_owned()),
            });
        }
    };
    reference::scan(&operation.payload, &mut |at, _, token| collect(at, token, "/payload"));
    if let Some(when) = operation.params.get(keys::WHEN) {
        reference::scan(when, &mut |at, _, token| collect(at, token, "/params/pop.when"));
    }
    let mut order = |name: &str, pointer: String| {
        found.push(Dependency { name: name.to_owned(), kind: EdgeKind::Order, pointer, token: None });
    };
    match operation.params.get(keys::DEPENDS_ON) {
        Some(Value::String(text)) => {
            for name in text.split(',').map(str::trim).filter(|s| !s.is_empty()) {
                order(name, "/params/dependsOn".into());
            }
        }
        Some(Value::Array(names)) => {
            for (i, name) in names.iter().enumerate() {
                order(name.as_str().unwrap_or_default(), format!("/params/dependsOn/{i}"));
            }
        }
        _ => {}
    }
    found
}

/// The dependency graph of an agenda. Edges go from the one that is waited for to the one that waits.
#[derive(Clone, Debug)]
pub struct Graph {
    graph: DiGraph<String, EdgeKind>,
    kinds: Vec<String>,
}

impl Graph {
    /// The graph of an agenda; dependencies on operations that aren't there are left out.
    pub fn new(agenda: &Agenda) -> Self {
        let mut graph = DiGraph::with_capacity(agenda.operations.len(), agenda.operations.len());
        let mut index = HashMap::with_capacity(agenda.operations.len());
        for operation in &agenda.operations {
            let node = graph.add_node(operation.name.clone());
            index.entry(operation.name.as_str()).or_insert(node);
        }
        for (i, operation) in agenda.operations.iter().enumerate() {
            let mut strongest: HashMap<NodeIndex, EdgeKind> = HashMap::new();
            let mut order = Vec::new();
            for dependency in dependencies(operation) {
                let Some(&from) = index.get(dependency.name.as_str()) else { continue };
                let kind = strongest.entry(from).or_insert_with(|| {
                    order.push(from);
                    dependency.kind
                });
                *kind = (*kind).max(dependency.kind);
            }
            for from in order {
                graph.add_edge(from, NodeIndex::new(i), strongest[&from]);
            }
        }
        let kinds = agenda.operations.iter().map(|o| o.kind.clone()).collect();
        Self { graph, kinds }
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An operation's name.
    pub fn name(&self, operation: usize) -> &str {
        &self.graph[NodeIndex::new(operation)]
    }

    /// An operation's type.
    pub fn kind(&self, operation: usize) -> &str {
        &self.kinds[operation]
    }

    /// All edges: from, to, why.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize, EdgeKind)> {
        self.graph.edge_references().map(|e| (e.source().index(), e.target().index(), *e.weight()))
    }

    /// Who waits for an operation, and why.
    pub fn dependents(&self, operation: usize) -> impl Iterator<Item = (usize, EdgeKind)> {
        self.graph.edges(NodeIndex::new(operation)).map(|e| (e.target().index(), *e.weight()))
    }

    /// What an operation waits for.
    pub fn waits_for(&self, operation: usize) -> impl Iterator<Item = usize> {
        self.graph
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
        if order.len() == self.len() { Ok(order) } else { Err(self.a_cycle(&unmet)) }
    }

    /// Every cycle once: for each knot of operations that wait for each other, one way round.
    pub fn cycles(&self) -> Vec<Vec<usize>> {
        let mut cycles: Vec<Vec<usize>> = petgraph::algo::kosaraju_scc(&self.graph)
            .into_iter()
            .filter(|knot| knot.len() > 1)
            .map(|knot| {
                let mut inside = vec![0; self.len()];
                for node in &knot {
                    inside[node.index()] = 1;
                }
                self.a_cycle(&inside)
            })
            .collect();
        cycles.sort_unstable();
        cycles
    }

    /// How deep each operation stands: the longest way from one that waits for nothing. Empty when there is a cycle.
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

    /// A cycle among the operations whose mark is not zero: each of them waits for another one of them.
    fn a_cycle(&self, marks: &[usize]) -> Vec<usize> {
        let Some(start) = (0..self.len()).find(|&i| marks[i] > 0) else { return Vec::new() };
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
            match self.waits_for(here).filter(|&i| marks[i] > 0).min() {
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
