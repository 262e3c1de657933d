//! Renewals, releases, expiry and cancels of leases.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::command::{Effect, LeaseId, Refusal, Reply};
use super::lifecycle::{Next, Transition, next};
use super::live::{Live, Place};
use super::operation::Operation;
use super::record::{AgendaState, Failure, FailureClass, OperationState, Write};
use super::{Core, Tx};
use crate::ids::{AgendaId, AgendaNo, PoolId};

/// Ways in which a lease ends before its agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Return {
    /// The holder gave the lease back; no operation runs any more.
    Released,
    /// The holder is gone, and may have done work that it did not report.
    Lost,
}

impl Core {
    /// The end of a lease that starts now.
    pub(super) fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.settings.lease).unwrap_or(Timestamp::MAX)
    }

    /// The agenda that this instance of the agent holds under this epoch.
    pub(super) fn holding(
        &self,
        pool: &PoolId,
        worker: &str,
        instance: &str,
        held: &LeaseId,
    ) -> Option<AgendaNo> {
        let no = *self.state.ids.get(&held.id)?;
        let live = self.state.agendas.get(&no)?;
        let Place::Leased(lease) = &live.place else { return None };
        let own = lease.row.worker == worker && lease.row.instance == instance;
        (live.epoch == held.epoch && live.pool == *pool && own).then_some(no)
    }

    pub(super) fn renew(
        &mut self,
        tx: &mut Tx,
        pool: &PoolId,
        worker: &str,
        instance: &str,
        leases: &[LeaseId],
    ) -> Result<Reply, Refusal> {
        self.hear(tx, pool, worker, instance)?;
        let until = self.lease_end(tx.now);
        let mut lost = Vec::new();
        for lease in leases {
            let Some(no) = self.holding(pool, worker, instance, lease) else {
                lost.push(lease.clone());
                continue;
            };
            self.state.set_deadline(no, until);
        }
        // The reply covers all leases of the instance: a renewal waits for a cancel, and a lease may be newer than the
        // call.
        let held = self.state.leases_of(pool, worker).into_iter().flat_map(|held| held.values().flatten());
        let cancel = held
            .filter_map(|no| {
                let live = self.state.agendas.get(no)?;
                let own = matches!(&live.place, Place::Leased(lease) if lease.row.instance == instance);
                (own && live.cancelling()).then(|| LeaseId { id: live.id.clone(), epoch: live.epoch })
            })
            .collect();
        Ok(Reply::Renewed { cancel, lost })
    }

    /// Ends leases that were not lost: their agendas are next.
    pub(super) fn release(
        &mut self,
        tx: &mut Tx,
        pool: &PoolId,
        worker: &str,
        instance: &str,
        leases: &[LeaseId],
        leaving: bool,
    ) -> Result<Reply, Refusal> {
        self.check_pool(pool)?;
        self.hear(tx, pool, worker, instance)?;
        let mut held = BTreeMap::new();
        for lease in leases {
            if let Some(no) = self.holding(pool, worker, instance, lease) {
                held.insert(no, lease.clone());
            }
        }
        if leaving {
            // An agent that stops may not know of its newest leases.
            for no in self.state.leases_of(pool, worker).into_iter().flat_map(|h| h.values().flatten()) {
                let Some(live) = self.state.agendas.get(no) else { continue };
                if matches!(&live.place, Place::Leased(lease) if lease.row.instance == instance) {
                    held.entry(*no).or_insert_with(|| LeaseId { id: live.id.clone(), epoch: live.epoch });
                }
            }
        }
        // Each agenda goes to the head of its queue, so the newest goes first.
        for no in held.keys().rev() {
            self.give_back(tx, *no, Return::Released, "returned: the pool released the lease");
        }
        if leaving {
            // A pull of the agent may still wait; without this, the pull would take work that no process runs.
            self.state.agents.lose(tx.now, pool, worker, instance);
        }
        Ok(Reply::Released(held.into_values().collect()))
    }

    /// Ends the overdue leases.
    pub(super) fn tick(&mut self, tx: &mut Tx) -> Reply {
        #[cfg(test)]
        assert!(!self.state.panic_at_tick, "as a test asked for");
        let overdue = self.state.overdue(tx.now);
        for no in &overdue {
            if let Some(Live { place: Place::Leased(lease), pool, .. }) = self.state.agendas.get(no) {
                self.state.agents.lose(tx.now, pool, &lease.row.worker, &lease.row.instance);
            }
            self.give_back(tx, *no, Return::Lost, "returned: the lease was not renewed");
        }
        Reply::Expired(overdue.len())
    }

    /// Ends a lease before its agenda. The agenda goes to the head of its queue, with two exceptions.
    ///
    /// A cancelled agenda ends. An agenda also ends if too many leases were lost without the end of any of its
    /// operations, because such an agenda may bring its pools down.
    pub(super) fn give_back(&mut self, tx: &mut Tx, no: AgendaNo, how: Return, reason: &str) {
        let Some(live) = self.state.agendas.get_mut(&no) else { return };
        match next(live.state(), live.cancelling(), Transition::Return) {
            Next::To(AgendaState::Queued) if how == Return::Released => {}
            Next::To(AgendaState::Queued) => {
                live.interrupted = live.interrupted.saturating_add(1);
                live.lost = live.lost.saturating_add(1);
                if live.lost >= live.maximum_attempts {
                    let (id, failure) = (live.id.clone(), exhausted(live, reason));
                    self.close(tx, no, OperationState::Skipped);
                    self.state.end(tx, no, AgendaState::Failed, Some(reason.to_owned()), None, Some(failure));
                    self.state.fence(&id);
                    return;
                }
            }
            Next::To(end) => {
                let id = live.id.clone();
                self.close(tx, no, OperationState::Cancelled);
                self.state.end(tx, no, end, None, None, None);
                self.state.fence(&id);
                return;
            }
            Next::Remember | Next::Same | Next::Illegal => return,
        }
        let insight = live.insight.clone();
        let pool = live.pool.clone();
        self.state.returned(tx, no, reason);
        let mut views = Vec::new();
        if let Some(live) = self.state.agendas.get_mut(&no) {
            for operation in &mut live.operations {
                let weight = operation.weight();
                if operation.give_back() {
                    live.weight -= weight;
                    tx.writes.push(Write::Operation(Box::new(operation.row(no))));
                    views.push(operation.update());
                }
            }
        }
        self.state.emit(tx, no, None);
        for view in views {
            self.state.emit(tx, no, Some(view));
        }
        tx.work(&pool, &insight);
    }

    pub(super) fn cancel(&mut self, tx: &mut Tx, id: &AgendaId) -> Reply {
        let Some(no) = self.state.ids.get(id).copied() else { return Reply::NotAlive };
        let Some(live) = self.state.agendas.get_mut(&no) else { return Reply::NotAlive };
        match next(live.state(), live.cancelling(), Transition::Cancel) {
            Next::To(end) => {
                self.close(tx, no, OperationState::Cancelled);
                self.state.end(tx, no, end, None, None, None);
            }
            Next::Remember => {
                if let Place::Leased(lease) = &mut live.place {
                    lease.row.cancelling = true;
                }
                live.reason = Some("cancelling: the pool stops the agenda".to_owned());
                tx.effects.push(Effect::CancelAsked);
                self.state.emit(tx, no, None);
            }
            Next::Same | Next::Illegal => {}
        }
        Reply::Cancelling
    }

    /// Ends every operation that has not ended.
    pub(super) fn close(&mut self, tx: &mut Tx, no: AgendaNo, state: OperationState) {
        let Some(live) = self.state.agendas.get_mut(&no) else { return };
        if live.open == 0 {
            return;
        }
        let mut views = Vec::new();
        for operation in &mut live.operations {
            if operation.close(state) {
                let mut row = operation.row(no);
                row.ended_at = Some(tx.now);
                tx.writes.push(Write::Operation(Box::new(row)));
                let mut view = operation.update();
                view.ended_at = Some(tx.now);
                views.push(view);
            }
        }
        live.open = 0;
        for view in views {
            self.state.emit(tx, no, Some(view));
        }
    }
}

/// The failure of an agenda that has lost too many leases.
fn exhausted(live: &Live, reason: &str) -> Failure {
    let runs = |o: &&Operation| matches!(o.state, OperationState::Launching | OperationState::Executing);
    let running: Vec<&str> = live.operations.iter().filter(runs).map(|o| o.name.as_ref()).collect();
    let ran = match running.as_slice() {
        // The holder died before its first report.
        [] => "no operation was reported as running".to_owned(),
        [only] => format!("`{only}` was running"),
        [first, rest @ ..] => format!("`{first}` and {} more were running", rest.len()),
    };
    let times = live.lost;
    Failure {
        class: FailureClass::Infra,
        code: "AttemptsExhausted".to_owned(),
        message: format!(
            "{times} leases of the agenda were lost in a row, and no operation ended in between; at the last \
                loss {ran} ({reason}). If a program crashes its pool, correct the program; if pools are \
                stopped often, raise `maximum_attempts`. Then rerun the agenda"
        ),
        operation: running.first().map(|name| (*name).to_owned()),
        exit_code: None,
        signal: None,
        log_tail: Box::default(),
        mismatch: None,
    }
}

#[cfg(test)]
mod tests;
