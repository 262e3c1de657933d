//! Handing agendas out: attach and pull.

use std::collections::HashSet;

use super::command::{Granted, LeaseId, Pull, Refusal, Reply};
use super::lease::Return;
use super::live::{Lease, Place};
use super::phase::{Next, Step, next};
use super::record::{AgendaState, LeaseRow};
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
        holding: &[LeaseId],
    ) -> Result<Reply, Refusal> {
        self.check_pool(pool)?;
        self.state.agents.attach(tx.now, pool, worker, instance);
        let until = self.lease_end(tx.now);
        let mut held: Vec<AgendaNo> =
            self.state.held(pool, worker).into_iter().flat_map(|h| h.values().flatten().copied()).collect();
        // Each goes to the head of its queue, so the newest goes first.
        held.sort_unstable_by(|a, b| b.cmp(a));
        let claimed: HashSet<&LeaseId> = holding.iter().collect();
        let (mut returned, mut kept) = (Vec::new(), Vec::new());
        for no in held {
            let Some(live) = self.state.agendas.get_mut(&no) else { continue };
            let Place::Leased(lease) = &mut live.place else { continue };
            let (id, own) =
                (LeaseId { id: live.id.clone(), epoch: live.epoch }, lease.row.instance == instance);
            if claimed.contains(&id) {
                if !own {
                    instance.clone_into(&mut lease.row.instance);
                    self.state.touch(no);
                }
                self.state.set_deadline(no, until);
                kept.push(id);
            } else if !own {
                self.give_back(tx, no, Return::Lost, &format!("returned: worker `{worker}` has restarted"));
                returned.push(id);
            }
        }
        returned.reverse();
        kept.reverse();
        Ok(Reply::Attached { returned, kept })
    }

    /// Hands out up to `count` agendas. A repetition of a call gets what the call got.
    pub(super) fn pull(&mut self, tx: &mut Tx, pull: Pull) -> Result<Reply, Refusal> {
        self.check_pool(&pull.pool)?;
        if pull.woken {
            self.check_instance(&pull)?;
        } else {
            self.hear(tx, &pull.pool, &pull.worker, &pull.instance)?;
        }
        if pull.count == 0 {
            return Err(Refusal::Invalid("`count` must be 1 or more".to_owned()));
        }
        if pull.woken && self.state.agents.is_silent(&pull.pool, &pull.worker, &pull.instance) {
            return Ok(Reply::Silent);
        }
        let repeated = self.repeated(&pull);
        if !repeated.is_empty() {
            // The call is a sign of life, and the agent counts its leases from it.
            let until = self.lease_end(tx.now);
            for grant in &repeated {
                if let Some(no) = self.state.ids.get(&grant.id).copied() {
                    self.state.set_deadline(no, until);
                }
            }
            return Ok(Reply::Granted(repeated));
        }
        let insights = self.serving_order(&pull)?;
        let mut granted = Vec::new();
        for (insight, take) in self.shares(&insights, pull.count) {
            let size = self.state.insights.get(&insight).map_or(0, |i| i.config.queue_size as usize);
            self.state.fill(tx, &insight, size.max(take));
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

    /// How many agendas a pull of `count` takes from each insight: one from each in turn.
    fn shares(&self, insights: &[InsightId], count: usize) -> Vec<(InsightId, usize)> {
        let waiting =
            |id: &InsightId| self.state.insights.get(id).map_or(0, |i| i.queue.len() + i.scheduler.len());
        let mut left: Vec<usize> = insights.iter().map(waiting).collect();
        let mut shares: Vec<(InsightId, usize)> = insights.iter().map(|id| (id.clone(), 0)).collect();
        let mut open = count.min(left.iter().sum());
        while open > 0 {
            for ((_, share), left) in shares.iter_mut().zip(&mut left).filter(|(_, left)| **left > 0) {
                if open > 0 {
                    (*share, *left, open) = (*share + 1, *left - 1, open - 1);
                }
            }
        }
        shares
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
                    interrupted: live.interrupted,
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
        let granted = Granted { id: live.id.clone(), epoch: live.epoch, interrupted: live.interrupted };
        let row = LeaseRow {
            worker: pull.worker.clone(),
            instance: pull.instance.clone(),
            request: pull.request.clone(),
            cancelling: false,
        };
        self.state.relocate(no, Place::Leased(Lease { row, until, started: false }), None);
        self.state.emit(tx, no, None);
        Some(granted)
    }

    fn check_instance(&self, pull: &Pull) -> Result<(), Refusal> {
        if self.state.agents.is_superseded(&pull.pool, &pull.worker, &pull.instance) {
            return Err(Refusal::Superseded(pull.worker.clone()));
        }
        Ok(())
    }

    pub(super) fn check_pool(&self, pool: &PoolId) -> Result<(), Refusal> {
        if self.state.pools.contains_key(pool) { Ok(()) } else { Err(Refusal::UnknownPool(pool.clone())) }
    }
}
