//! Handing agendas out: attach and pull.

use pop_sdk::api::AgendaState;

use super::command::{Granted, Pull, Refusal, Reply};
use super::live::{Lease, Place};
use super::phase::{Next, Step, next};
use super::record::LeaseRow;
use super::{Core, Tx};
use crate::ids::{AgendaNo, InsightId, PoolId};

impl Core {
    /// An agent has (re)started: what its earlier instances held comes back.
    pub(super) fn attach(
        &mut self,
        tx: &mut Tx,
        pool: &PoolId,
        worker: &str,
        instance: &str,
    ) -> Result<Reply, Refusal> {
        self.check_pool(pool)?;
        let mut held: Vec<AgendaNo> =
            self.state.held(pool, worker).into_iter().flat_map(|h| h.values().flatten().copied()).collect();
        held.retain(|no| {
            matches!(self.state.agendas.get(no).map(|l| &l.place),
                Some(Place::Leased(lease)) if lease.row.instance != instance)
        });
        // Each goes to the head of its queue, so the newest goes first.
        held.sort_unstable_by(|a, b| b.cmp(a));
        let mut returned = Vec::new();
        for no in held {
            returned.extend(self.state.agendas.get(&no).map(|live| live.id.clone()));
            self.give_back(tx, no, &format!("returned: worker `{worker}` has restarted"));
        }
        returned.reverse();
        Ok(Reply::Attached(returned))
    }

    /// Hands out up to `count` agendas. A repetition of a call gets what the call got.
    pub(super) fn pull(&mut self, tx: &mut Tx, pull: Pull) -> Result<Reply, Refusal> {
        self.check_pool(&pull.pool)?;
        if pull.count == 0 {
            return Err(Refusal::Invalid("`count` must be 1 or more".to_owned()));
        }
        let repeated = self.repeated(&pull);
        if !repeated.is_empty() {
            return Ok(Reply::Granted(repeated));
        }
        let insights = self.serving_order(&pull)?;
        let mut granted = Vec::new();
        for insight in &insights {
            let size = self.state.insights.get(insight).map_or(0, |i| i.config.queue_size as usize);
            self.state.fill(tx, insight, size.max(pull.count));
        }
        // One from each insight in turn.
        let mut open = insights.clone();
        while granted.len() < pull.count && !open.is_empty() {
            open.retain(|insight| {
                if granted.len() >= pull.count {
                    return true;
                }
                let Some(grant) = self.grant(tx, insight, &pull) else { return false };
                granted.push(grant);
                if let Some(pool) = self.state.pools.get_mut(&pull.pool) {
                    pool.served = Some(insight.clone());
                }
                true
            });
        }
        for insight in &insights {
            self.state.top_up(tx, insight);
        }
        Ok(Reply::Granted(granted))
    }

    /// The leases that an earlier, identical call was given.
    fn repeated(&self, pull: &Pull) -> Vec<Granted> {
        let held = self.state.held(&pull.pool, &pull.worker).and_then(|h| h.get(&pull.request));
        held.into_iter()
            .flatten()
            .filter_map(|no| {
                let live = self.state.agendas.get(no)?;
                let Place::Leased(lease) = &live.place else { return None };
                (lease.row.instance == pull.instance).then(|| Granted {
                    id: live.id.clone(),
                    epoch: live.epoch,
                    until: lease.row.until,
                })
            })
            .collect()
    }

    /// The insights that the pull may take from, beginning after the one that was served last.
    fn serving_order(&self, pull: &Pull) -> Result<Vec<InsightId>, Refusal> {
        let Some(pool) = self.state.pools.get(&pull.pool) else {
            return Err(Refusal::UnknownPool(pull.pool.clone()));
        };
        if let Some(insight) = &pull.insight {
            if !pool.insights.contains(insight) {
                return Err(Refusal::UnknownInsight(insight.clone()));
            }
            return Ok(vec![insight.clone()]);
        }
        let mut order: Vec<InsightId> = pool.insights.iter().cloned().collect();
        if let Some(served) = &pool.served {
            let after = order.partition_point(|i| i <= served);
            order.rotate_left(after);
        }
        Ok(order)
    }

    /// Leases the head of the insight's queue.
    fn grant(&mut self, tx: &mut Tx, insight: &InsightId, pull: &Pull) -> Option<Granted> {
        let (_, no) = self.state.insights.get(insight)?.queue.first_key_value()?;
        let no = *no;
        let until = self.lease_end(tx.now);
        let live = self.state.agendas.get_mut(&no)?;
        if next(live.state(), false, Step::Lease) != Next::To(AgendaState::Leased) {
            return None;
        }
        live.epoch += 1;
        let granted = Granted { id: live.id.clone(), epoch: live.epoch, until };
        let row = LeaseRow {
            worker: pull.worker.clone(),
            instance: pull.instance.clone(),
            request: pull.request.clone(),
            until,
            cancelling: false,
        };
        self.state.relocate(no, Place::Leased(Lease { row, started: false }), None);
        self.state.emit(tx, no, None);
        Some(granted)
    }

    pub(super) fn check_pool(&self, pool: &PoolId) -> Result<(), Refusal> {
        if self.state.pools.contains_key(pool) { Ok(()) } else { Err(Refusal::UnknownPool(pool.clone())) }
    }
}
