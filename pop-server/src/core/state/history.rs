//! The history of agendas: events, generated operations, ends, and the memory of recent ends.

use std::sync::Arc;

use serde_json::Value;

use super::State;
use crate::core::Tx;
use crate::core::command::{Effect, Generated};
use crate::core::operation::Operation;
use crate::core::record::{
    Added, AgendaRow, AgendaState, Event, Failure, OperationName, OperationUpdate, Percent, RerunOperations,
    Write,
};
use crate::ids::{AgendaId, AgendaNo};

/// Number of operations that one event names, so that no event is large.
const NAMES_PER_EVENT: usize = 1000;
/// Number of ended agendas that stay known, so that a repeated last report does not count as stale.
const REMEMBERED_ENDS: usize = 4096;

impl State {
    /// Adds generated operations. Only this change can lower an agenda's percent, and its event names the new
    /// operations.
    pub(in crate::core) fn add_operations(&mut self, tx: &mut Tx, no: AgendaNo, made: Generated) {
        let Generated { generator, operations } = made;
        let kinds: Vec<Arc<str>> = operations.iter().map(|o| self.kind(&o.kind)).collect();
        let Some(live) = self.agendas.get_mut(&no) else { return };
        let first = u32::try_from(live.operations.len()).unwrap_or(u32::MAX);
        let new = operations.iter().zip(kinds).zip(first..);
        live.operations.extend(new.map(|((o, kind), position)| Operation::new(&o.name, kind, position)));
        live.operations.sort_by(|a, b| a.name.cmp(&b.name));
        live.open = live.open.saturating_add(u32::try_from(operations.len()).unwrap_or(u32::MAX));
        live.percent = live.percent_now();
        for part in operations.chunks(NAMES_PER_EVENT) {
            let operations =
                part.iter().map(|o| OperationName { name: o.name.clone(), kind: o.kind.clone() }).collect();
            let added = Added { generator: generator.clone(), operations };
            self.happen(tx, no, Change { added: Some(added), ..Change::default() });
        }
        tx.writes.push(Write::Generated(no, first, operations));
    }

    /// Adds an event: the agenda's present state, and the operation that changed.
    pub(in crate::core) fn emit(&mut self, tx: &mut Tx, no: AgendaNo, operation: Option<OperationUpdate>) {
        self.happen(tx, no, Change { operation, ..Change::default() });
    }

    /// Adds the events of a rerun. They name the reset and the removed operations, in parts of limited size.
    pub(in crate::core) fn emit_rerun(&mut self, tx: &mut Tx, no: AgendaNo, all: RerunOperations) {
        let (mut reset, mut removed) = (all.reset.into_iter(), all.removed.into_iter());
        loop {
            let mut part = RerunOperations {
                reset: reset.by_ref().take(NAMES_PER_EVENT).collect(),
                removed: Vec::new(),
            };
            part.removed.extend(removed.by_ref().take(NAMES_PER_EVENT - part.reset.len()));
            self.happen(tx, no, Change { rerun: Some(part), ..Change::default() });
            if reset.len() == 0 && removed.len() == 0 {
                return;
            }
        }
    }

    fn happen(&mut self, tx: &mut Tx, no: AgendaNo, change: Change) {
        let Change { operation, added, rerun } = change;
        self.touch(no);
        let Some(live) = self.agendas.get_mut(&no) else { return };
        live.seq += 1;
        let event = Event {
            seq: live.seq,
            at: tx.now,
            state: live.state(),
            percent: live.percent,
            reason: live.reason.clone(),
            operation,
            added,
            rerun,
        };
        tx.writes.push(Write::Event(no, Box::new(event)));
        tx.changed(&live.id);
    }

    /// Ends an agenda, which leaves the memory. The last event carries the end.
    pub(in crate::core) fn end(
        &mut self,
        tx: &mut Tx,
        no: AgendaNo,
        state: AgendaState,
        reason: Option<String>,
        outputs: Option<Value>,
        failure: Option<Failure>,
    ) {
        let Some(live) = self.agendas.remove(&no) else { return };
        self.unindex(no, &live.pool, &live.place);
        self.ids.remove(&live.id);
        if let Some(customer) = self.customers.get_mut(&live.customer) {
            customer.live = customer.live.saturating_sub(1);
        }
        if let Some(insight) = self.insights.get_mut(&live.insight) {
            insight.live = insight.live.saturating_sub(1);
        }
        if let Some(key) = &live.key {
            self.old_keys.push_back((tx.now, live.customer.clone(), key.clone()));
        }
        self.ended.insert(live.id.clone(), (live.epoch, live.seq + 1));
        self.ended_order.push_back(live.id.clone());
        if self.ended_order.len() > REMEMBERED_ENDS
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }

        let percent = if state == AgendaState::Succeeded { Percent::FULL } else { live.percent };
        let event = Event {
            seq: live.seq + 1,
            at: tx.now,
            state,
            percent,
            reason: reason.clone(),
            operation: None,
            added: None,
            rerun: None,
        };
        let row = AgendaRow {
            state,
            on_hold: false,
            reason,
            seq: live.seq + 1,
            percent,
            queue_position: None,
            lease: None,
            ended_at: Some(tx.now),
            ..live.row(no)
        };
        tx.writes.push(Write::Agenda(row));
        tx.writes.push(Write::Ended(no, outputs, failure));
        tx.writes.push(Write::Event(no, Box::new(event)));
        tx.changed(&live.id);
        self.gone(tx, no, &live);
    }

    /// The epoch under which a recently ended agenda ended.
    pub(in crate::core) fn ended_epoch(&self, id: &AgendaId) -> Option<u64> {
        self.ended.get(id).map(|(epoch, _)| *epoch)
    }

    /// Marks an ended agenda whose former holder may not know of the end: reports of that holder are stale.
    pub(in crate::core) fn fence(&mut self, id: &AgendaId) {
        if let Some((epoch, _)) = self.ended.get_mut(id) {
            *epoch = 0;
        }
    }

    /// The number of the last event of a recently ended agenda.
    pub(in crate::core) fn ended_seq(&self, id: &AgendaId) -> Option<u64> {
        self.ended.get(id).map(|(_, seq)| *seq)
    }

    /// Forgets the end of an agenda, because the agenda runs again.
    pub(in crate::core) fn forget_end(&mut self, id: &AgendaId) {
        self.ended.remove(id);
        self.ended_order.retain(|ended| ended != id);
    }
}

/// The content of an event besides the agenda's state.
#[derive(Default)]
struct Change {
    operation: Option<OperationUpdate>,
    added: Option<Added>,
    rerun: Option<RerunOperations>,
}

impl Tx {
    fn changed(&mut self, agenda: &AgendaId) {
        let effect = Effect::Changed(agenda.clone());
        if self.effects.last() != Some(&effect) {
            self.effects.push(effect);
        }
    }
}
