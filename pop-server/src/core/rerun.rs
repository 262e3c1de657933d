//! Reruns of ended agendas: the reset and the removed operations, and the agenda's return into memory.

use std::collections::{BTreeSet, HashMap};

use pop_compiler::agenda::{Agenda, keys};
use pop_compiler::graph::Graph;
use pop_compiler::suggest;
use serde_json::Value;

use super::command::{Refusal, Reply};
use super::lifecycle::{Next, Transition, next};
use super::operation::Operation;
use super::record::{
    self, AgendaState, LiveRow, OperationRow, OperationState, OperationUpdate, Percent, Write,
};
use super::{Core, Tx};

/// The extent of a rerun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rerun {
    /// Operations that have not succeeded; succeeded operations keep their outputs.
    #[default]
    Continue,
    /// All operations.
    All,
    /// These operations, and all operations that depend on them.
    Operations(Vec<String>),
}

/// A stored, ended agenda with the plan of its rerun.
#[derive(Clone, Debug)]
pub struct RerunPlan {
    /// The agenda as stored.
    pub stored: LiveRow,
    /// The reset and the removed operations.
    pub closure: Closure,
    /// The reason, for people.
    pub reason: String,
}

/// The operations that a rerun changes, by ascending position in the agenda.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closure {
    /// Operations that run again.
    pub reset: Vec<u32>,
    /// Generated operations whose generator runs again. They are gone until the generator adds them again.
    pub removed: Vec<u32>,
}

/// The operations that a rerun changes. `agenda` has all operations by position, also the generated ones; `states` has
/// their states.
///
/// Operations that have not succeeded always run again. Named operations take all their dependents along.
pub fn closure(
    agenda: &Agenda,
    state: AgendaState,
    states: &[OperationState],
    what: &Rerun,
) -> Result<Closure, Refusal> {
    let operations = &agenda.operations;
    let index: HashMap<&str, usize> =
        operations.iter().enumerate().map(|(i, operation)| (operation.name.as_str(), i)).collect();
    let open = |i: &usize| states.get(*i).is_none_or(|state| *state != OperationState::Succeeded);
    let mut reset: BTreeSet<usize> = (0..operations.len()).filter(open).collect();
    let asked: Vec<usize> = match what {
        Rerun::Continue if state == AgendaState::Succeeded => {
            return Err(Refusal::NothingToRun(
                "nothing to rerun: every operation succeeded. Use mode `all` or `operations` (`--all` or \
                    `--from OPERATION`)"
                    .to_owned(),
            ));
        }
        Rerun::Continue => Vec::new(),
        Rerun::All => (0..operations.len()).collect(),
        Rerun::Operations(names) if names.is_empty() => {
            return Err(Refusal::Invalid("`operations` is empty. Name at least one operation".to_owned()));
        }
        Rerun::Operations(names) => names.iter().map(|name| find(&index, name)).collect::<Result<_, _>>()?,
    };
    let maker = |i: usize| {
        let name = operations.get(i)?.params.get(keys::GENERATED_BY).and_then(Value::as_str)?;
        index.get(name).copied()
    };
    let graph = Graph::new(agenda);
    let mut makes: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut promises: HashMap<usize, Vec<usize>> = HashMap::new();
    for made in 0..operations.len() {
        if let Some(maker) = maker(made) {
            makes.entry(maker).or_default().push(made);
        }
    }
    for promise in operations.len()..graph.len() {
        promises.entry(graph.operation(promise)).or_default().push(promise);
    }
    let of = |map: &HashMap<usize, Vec<usize>>, i: usize| map.get(&i).cloned().unwrap_or_default();
    let mut affected = vec![false; graph.len()];
    let mut next = asked;
    while let Some(node) = next.pop() {
        if std::mem::replace(&mut affected[node], true) {
            continue;
        }
        next.extend(graph.dependents(node).map(|(dependent, _)| dependent));
        next.extend(of(&makes, node));
        // An operation that refers to all operations of a generator refers to this one, too.
        next.extend(maker(node).map(|maker| of(&promises, maker)).unwrap_or_default());
    }
    reset.extend((0..operations.len()).filter(|i| affected[*i]));
    let gone = |i: &usize| affected[*i] && maker(*i).is_some_and(|maker| affected[maker]);
    let (removed, reset): (Vec<usize>, Vec<usize>) = reset.into_iter().partition(gone);
    let positions = |list: Vec<usize>| list.into_iter().filter_map(|i| u32::try_from(i).ok()).collect();
    Ok(Closure { reset: positions(reset), removed: positions(removed) })
}

fn find(index: &HashMap<&str, usize>, name: &str) -> Result<usize, Refusal> {
    index.get(name).copied().ok_or_else(|| {
        let near = suggest::closest(name, index.keys().copied());
        let help = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Refusal::Invalid(format!("the agenda has no operation `{name}`{help}"))
    })
}

impl Core {
    /// Takes an ended agenda back into memory, and puts it into the insight of its first run.
    pub(super) fn rerun(&mut self, tx: &mut Tx, plan: RerunPlan) -> Result<Reply, Refusal> {
        let RerunPlan { stored, closure, reason } = plan;
        let (no, id, after) = (stored.header.no, stored.header.id.clone(), stored.row.seq);
        if self.state.ids.contains_key(&id) {
            return Err(Refusal::NotEnded(format!(
                "agenda `{id}` has not ended. Cancel the agenda, or wait for its end"
            )));
        }
        if next(stored.row.state, false, Transition::Rerun) != Next::To(AgendaState::Ready)
            || self.state.ended_seq(&id).is_some_and(|last| last != after)
        {
            return Err(Refusal::NotEnded(format!("agenda `{id}` was rerun concurrently; retry")));
        }
        if !self.state.customers.contains_key(&stored.header.customer) {
            return Err(Refusal::UnknownCustomer(stored.header.customer));
        }
        let (insight, pool) = (stored.header.insight.clone(), stored.header.pool.clone());
        if self.state.insights.get(&insight).is_none_or(|i| i.pool != pool) {
            return Err(Refusal::Invalid(format!(
                "insight `{insight}` of agenda `{id}` is no longer in pool `{pool}`. Submit the work again"
            )));
        }
        let named = |list: &[u32]| -> Vec<String> {
            let operation = |at: &u32| stored.operations.get(usize::try_from(*at).ok()?);
            list.iter().filter_map(operation).map(|o| o.name.clone()).collect()
        };
        let names =
            record::RerunOperations { reset: named(&closure.reset), removed: named(&closure.removed) };
        let (live, fresh) = begin_anew(stored, &closure, reason);
        tx.writes.push(Write::Rerun(no, closure.reset, closure.removed));
        tx.writes.push(Write::Ended(no, None, None));
        tx.writes.extend(fresh.into_iter().map(|row| Write::Operation(Box::new(row))));
        let reset = self.take_back(tx, live, names);
        tx.work(&pool, &insight);
        self.state.arrived(tx, no);
        Ok(Reply::Rerunning { after, reset })
    }
}

impl Core {
    /// Takes an ended agenda back into memory. Returns the names of the waiting operations.
    fn take_back(&mut self, tx: &mut Tx, stored: LiveRow, again: record::RerunOperations) -> Vec<String> {
        let no = stored.header.no;
        self.state.forget_end(&stored.header.id);
        self.state.restore(stored, tx.now, tx.now);
        let Some(live) = self.state.agendas.get_mut(&no) else { return Vec::new() };
        live.percent = live.percent_now();
        let waiting = live.operations.iter().filter(|o| o.state == OperationState::Waiting);
        let views: Vec<OperationUpdate> = waiting.map(Operation::update).collect();
        let names = views.iter().map(|view| view.name.clone()).collect();
        self.state.emit_rerun(tx, no, again);
        for view in views {
            self.state.emit(tx, no, Some(view));
        }
        names
    }
}

/// The agenda after the reset, and the rows of reset operations with an attempt. Those operations keep the number of
/// their last attempt, because attempt numbers are never used twice.
fn begin_anew(stored: LiveRow, closure: &Closure, reason: String) -> (LiveRow, Vec<OperationRow>) {
    let LiveRow { header, row, operations, changed, idempotency_key } = stored;
    let is_in = |list: &[u32], position: u32| list.binary_search(&position).is_ok();
    let moved = |position: u32| {
        let gone = closure.removed.partition_point(|removed| *removed < position);
        position.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX))
    };
    let operations: Vec<_> = operations
        .into_iter()
        .zip(0..)
        .filter(|(_, at)| !is_in(&closure.removed, *at))
        .map(|(o, _)| o)
        .collect();
    let mut fresh = Vec::new();
    let mut kept = Vec::with_capacity(changed.len());
    for old in changed {
        let position = moved(old.position);
        if is_in(&closure.removed, old.position) {
            continue;
        }
        if !is_in(&closure.reset, old.position) {
            kept.push(OperationRow { position, ..old });
        } else if old.attempt > 0 {
            let new = OperationRow {
                agenda: old.agenda,
                position,
                state: OperationState::Waiting,
                retrying: false,
                attempt: old.attempt,
                failures: 0,
                percent: Percent::default(),
                message: None,
                started_at: None,
                ended_at: None,
                output: None,
                failure: None,
                ledger: None,
            };
            fresh.push(new.clone());
            kept.push(new);
        }
    }
    let succeeded = kept.iter().filter(|row| row.state == OperationState::Succeeded).count();
    let row = record::AgendaRow {
        state: AgendaState::Ready,
        on_hold: false,
        lost: 0,
        interrupted: 0,
        reason: Some(reason),
        succeeded: u32::try_from(succeeded).unwrap_or(u32::MAX),
        queue_position: None,
        lease: None,
        ended_at: None,
        ..row
    };
    (LiveRow { header, row, operations, changed: kept, idempotency_key }, fresh)
}

#[cfg(test)]
mod tests;
