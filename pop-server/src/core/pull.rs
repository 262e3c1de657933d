//! Grants agendas to agents: attach and pull.

use std::collections::HashSet;

use super::command::{Granted, LeaseId, Pull, Refusal, Reply};
use super::lease::Return;
use super::lifecycle::{Next, Transition, next};
use super::live::{Lease, Place};
use super::record::{AgendaState, LeaseRow};
use super::{Core, Tx};
use crate::ids::{AgendaNo, PoolId};
use crate::scheduler::{Decision, Destination};

impl Core {
    /// Attaches an instance of an agent. Leases of earlier instances end, unless the new one claims them.
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
        let mut held: Vec<AgendaNo> = self
            .state
            .leases_of(pool, worker)
            .into_iter()
            .flat_map(|h| h.values().flatten().copied())
            .collect();
        // Each agenda goes to the head of its queue, so the newest goes first.
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

    /// Grants up to `count` agendas. A repetition of a call gets the grants of the call.
    pub(super) fn pull(&mut self, tx: &mut Tx, pull: Pull) -> Result<Reply, Refusal> {
        self.check_pool(&pull.pool)?;
        if pull.woken {
            self.check_instance(&pull)?;
        } else {
            self.hear(tx, &pull.pool, &pull.worker, &pull.instance)?;
        }
        if pull.count == 0 {
            return Err(Refusal::Invalid("invalid `count` 0: use 1 or more".to_owned()));
        }
        if pull.woken && self.state.agents.is_silent(&pull.pool, &pull.worker, &pull.instance) {
            return Ok(Reply::Silent);
        }
        let repeated = self.repeated(&pull);
        if !repeated.is_empty() {
            // The call is a sign of life, and the agent counts its leases from the call.
            let until = self.lease_end(tx.now);
            for grant in &repeated {
                if let Some(no) = self.state.ids.get(&grant.id).copied() {
                    self.state.set_deadline(no, until);
                }
            }
            return Ok(Reply::Granted(repeated));
        }
        self.check_insight(&pull)?;
        let decisions = self.state.scheduler.pull(tx.now, &pull.pool, pull.insight.as_ref(), pull.count);
        let mut granted = Vec::new();
        for Decision { agenda, to, .. } in decisions {
            match to {
                Destination::Queue(at) => self.state.enqueue(tx, agenda, at),
                Destination::Pool => granted.extend(self.grant(tx, agenda, &pull)),
            }
        }
        Ok(Reply::Granted(granted))
    }

    /// The grants of an earlier, identical call.
    fn repeated(&self, pull: &Pull) -> Vec<Granted> {
        let held = self.state.leases_of(&pull.pool, &pull.worker).and_then(|h| h.get(&pull.request));
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

    /// Checks that the pull's insight belongs to the pool.
    fn check_insight(&self, pull: &Pull) -> Result<(), Refusal> {
        let Some(insight) = &pull.insight else { return Ok(()) };
        let pool = self.state.pools.get(&pull.pool);
        if pool.is_some_and(|pool| pool.insights.contains(insight)) {
            return Ok(());
        }
        Err(Refusal::UnknownInsight(insight.clone()))
    }

    /// Leases an agenda to the agent that pulls.
    fn grant(&mut self, tx: &mut Tx, no: AgendaNo, pull: &Pull) -> Option<Granted> {
        let until = self.lease_end(tx.now);
        let live = self.state.agendas.get_mut(&no)?;
        if next(live.state(), false, Transition::Lease) != Next::To(AgendaState::Leased) {
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
        self.state.relocate(no, Place::Leased(Lease { row, since: tx.now, until, started: false }), None);
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
