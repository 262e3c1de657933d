//! The overview of a run: each operation's latest state, and its place in the tree.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use pop_sdk::api::{OperationState, OperationView};

use crate::run::Plan;

/// Number of states of an operation, including the unknown one.
const STATES: usize = OperationState::Unknown as usize + 1;

/// The operations of a run and their latest states.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Title of the agenda.
    pub title: String,
    /// Start of the run.
    pub since: Timestamp,
    /// The operations in tree order: each after its parent, siblings in the agenda's order.
    pub rows: Vec<Row>,
    by_name: HashMap<String, usize>,
    counts: [usize; STATES],
}

/// One operation of the overview.
#[derive(Clone, Debug)]
pub struct Row {
    /// The operation's latest state.
    pub view: OperationView,
    /// Length of the longest path from an operation without dependencies.
    pub depth: usize,
    /// Index of the parent in the tree: the deepest operation that this one waits for, or its generator.
    pub parent: Option<usize>,
    /// Whether a generator added the operation.
    pub made: bool,
}

impl Overview {
    /// The overview of a run that has not started.
    pub fn new(title: String, plan: &Plan, since: Timestamp) -> Self {
        let (depth, parent) = levels(plan);
        let order = tree_order(&depth, &parent);
        let mut place = vec![0; order.len()];
        for (row, &op) in order.iter().enumerate() {
            place[op] = row;
        }
        let rows: Vec<Row> = order
            .iter()
            .map(|&op| {
                let step = &plan.steps[op];
                let view = OperationView {
                    name: step.name.clone(),
                    kind: step.kind.clone(),
                    ..OperationView::default()
                };
                Row { view, depth: depth[op], parent: parent[op].map(|p| place[p]), made: false }
            })
            .collect();
        let by_name = rows.iter().enumerate().map(|(i, row)| (row.view.name.clone(), i)).collect();
        let mut counts = [0; STATES];
        counts[OperationState::Waiting as usize] = rows.len();
        Self { title, since, rows, by_name, counts }
    }

    /// Adds the operations of a generator below the generator. Existing operations stay unchanged.
    pub fn add<'o>(&mut self, generator: &str, operations: impl Iterator<Item = (&'o str, &'o str)>) {
        let parent = self.by_name.get(generator).copied();
        let depth = parent.map_or(0, |p| self.rows[p].depth + 1);
        let new: Vec<Row> = operations
            .filter(|(name, _)| !self.by_name.contains_key(*name))
            .map(|(name, kind)| {
                let view = OperationView {
                    name: name.to_owned(),
                    kind: kind.to_owned(),
                    ..OperationView::default()
                };
                Row { view, depth, parent, made: true }
            })
            .collect();
        // New rows come after the generator's earlier rows, and before the generator's other children.
        let mut at = parent.map_or(self.rows.len(), |p| p + 1);
        while parent.is_some() && self.rows.get(at).is_some_and(|row| row.parent == parent && row.made) {
            at += 1;
        }
        let count = new.len();
        self.counts[OperationState::Waiting as usize] += count;
        for row in &mut self.rows {
            if let Some(parent) = &mut row.parent
                && *parent >= at
            {
                *parent += count;
            }
        }
        self.rows.splice(at..at, new);
        for (i, row) in self.rows.iter().enumerate().skip(at) {
            match self.by_name.get_mut(&row.view.name) {
                Some(place) => *place = i,
                None => drop(self.by_name.insert(row.view.name.clone(), i)),
            }
        }
    }

    /// Removes operations; their children lose their parent.
    pub fn remove(&mut self, names: &[String]) {
        let gone: HashSet<usize> = names.iter().filter_map(|name| self.by_name.remove(name)).collect();
        // The new index of each remaining row.
        let mut places = Vec::with_capacity(self.rows.len());
        let mut next = 0;
        for (at, row) in self.rows.iter().enumerate() {
            let stays = !gone.contains(&at);
            places.push(stays.then_some(next));
            if stays {
                next += 1;
            } else {
                self.counts[row.view.state as usize] -= 1;
            }
        }
        let mut at = 0..;
        self.rows.retain(|_| at.next().is_some_and(|at| !gone.contains(&at)));
        for row in &mut self.rows {
            row.parent = row.parent.and_then(|parent| places[parent]);
        }
        for place in self.by_name.values_mut() {
            *place = places[*place].unwrap_or_default();
        }
    }

    /// Takes a new state. False if the state is no transition (progress, or an unknown name).
    pub fn update(&mut self, view: &OperationView) -> bool {
        let Some(row) = self.by_name.get(&view.name).and_then(|&i| self.rows.get_mut(i)) else {
            return false;
        };
        let changed = (row.view.state, row.view.attempt) != (view.state, view.attempt);
        self.counts[row.view.state as usize] -= 1;
        self.counts[view.state as usize] += 1;
        row.view = OperationView { output: None, ..view.clone() };
        changed
    }

    /// Number of operations in this state.
    pub fn count(&self, state: OperationState) -> usize {
        self.counts[state as usize]
    }

    /// Number of operations in a terminal state.
    pub fn ended(&self) -> usize {
        use OperationState::{Cancelled, Failed, Skipped, Succeeded};
        [Succeeded, Failed, Skipped, Cancelled].into_iter().map(|s| self.count(s)).sum()
    }
}

/// The depth and the tree parent of each operation, in one pass over the graph in topological order.
fn levels(plan: &Plan) -> (Vec<usize>, Vec<Option<usize>>) {
    let n = plan.steps.len();
    let (mut depth, mut parent) = (vec![0; n], vec![None; n]);
    let mut unmet: Vec<usize> = plan.steps.iter().map(|s| s.waits_for).collect();
    let mut ready: std::collections::VecDeque<usize> = (0..n).filter(|&i| unmet[i] == 0).collect();
    while let Some(op) = ready.pop_front() {
        for edge in plan.waiting_for(op) {
            if depth[edge.to] <= depth[op] {
                depth[edge.to] = depth[op] + 1;
                parent[edge.to] = Some(op);
            }
            unmet[edge.to] = unmet[edge.to].saturating_sub(1);
            if unmet[edge.to] == 0 {
                ready.push_back(edge.to);
            }
        }
    }
    (depth, parent)
}

fn tree_order(depth: &[usize], parent: &[Option<usize>]) -> Vec<usize> {
    let mut children = vec![Vec::new(); depth.len()];
    let mut stack = Vec::new();
    for op in (0..depth.len()).rev() {
        match parent[op] {
            Some(p) => children[p].push(op),
            None => stack.push(op),
        }
    }
    let mut order = Vec::with_capacity(depth.len());
    while let Some(op) = stack.pop() {
        order.push(op);
        stack.append(&mut children[op]);
    }
    order
}
