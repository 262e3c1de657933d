//! Chooses the agenda that goes next. Events come in, decisions come out; the scheduler knows neither leases nor
//! clients nor a store.
//!
//! The scheduler is a tree: a pool has insights. An insight has a [`Policy`] that chooses among its waiting agendas,
//! and a short queue of chosen agendas. A policy keeps its lasting state in rows of its own ([`RowChange`]).

mod insight;
mod policies;
mod policy;
mod queue;
mod rows;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use insight::InsightNode;
pub use policies::POLICIES;
pub use policy::{Change, Context, Policy, Registration, Start, Taken};
pub use rows::{RowChange, Rows, StoredRows};
pub use waiting::Waiting;

use crate::ids::{AgendaNo, CustomerId, InsightId, PoolId};

/// An agenda as the scheduler knows it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The agenda's number; a smaller number is older.
    pub agenda: AgendaNo,
    /// The insight that took the agenda.
    pub insight: &'a InsightId,
    /// The agenda's owner.
    pub customer: &'a CustomerId,
}

/// A change that the scheduler must know.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// An agenda waits for its turn.
    Arrived(Entry<'a>),
    /// A waiting agenda will not run.
    Withdrawn(Entry<'a>),
    /// A pool finished an agenda.
    Ended {
        /// The finished agenda.
        entry: Entry<'a>,
        /// Time for which the pool had the agenda.
        cost: Duration,
    },
    /// A pool lost an agenda or gave it back. The agenda goes to the head of its insight's queue.
    Returned(Entry<'a>),
    /// A setting changed.
    Configured(Setting<'a>),
}

/// A setting, as the scheduler knows it.
#[derive(Clone, Copy, Debug)]
pub enum Setting<'a> {
    /// An insight was created or changed.
    Insight {
        /// The insight's id.
        insight: &'a InsightId,
        /// The pool that serves the insight.
        pool: &'a PoolId,
        /// The name of the insight's policy.
        algorithm: &'a str,
        /// Number of agendas that the policy chooses before a pool asks.
        queue_size: usize,
    },
    /// An insight was removed.
    InsightRemoved(&'a InsightId),
    /// A pool was removed.
    PoolRemoved(&'a PoolId),
    /// A customer joined a pool.
    Joined(&'a CustomerId, &'a PoolId),
    /// A customer left a pool.
    Left(&'a CustomerId, &'a PoolId),
}

/// The place where an agenda goes, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The agenda's number.
    pub agenda: AgendaNo,
    /// The agenda's new place.
    pub to: Destination,
    /// The reason for the choice.
    pub because: Because,
}

/// Places where a decision sends an agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The queue of the agenda's insight, at this position. Smaller positions go first.
    Queue(i64),
    /// The pool that asked.
    Pool,
}

/// Reasons why an agenda goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    /// The agenda is the oldest.
    Oldest,
    /// The agenda's customer has the turn.
    Turn,
    /// No customer with a turn has work, so every customer with work gets one more agenda.
    NobodyElse,
    /// The agenda stands at the head of its insight's queue.
    Head,
    /// A pool had the agenda before.
    Returned,
}

/// The place of an agenda when the server stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The agenda waited for its turn.
    Waiting,
    /// The agenda stood in its insight's queue, at this position.
    Queued(i64),
    /// A pool had the agenda.
    Started,
}

/// All pools with their insights.
#[derive(Debug)]
pub struct Scheduler {
    policies: &'static [Registration],
    pools: BTreeMap<PoolId, PoolNode>,
    insights: BTreeMap<InsightId, InsightNode>,
    changes: Vec<RowChange>,
}

#[derive(Debug, Default)]
struct PoolNode {
    members: BTreeSet<CustomerId>,
    insights: BTreeSet<InsightId>,
    /// The insight that gave the last agenda; the next pull starts after this insight.
    served: Option<InsightId>,
}

impl Scheduler {
    /// An empty scheduler with a choice of policies. The first policy stands in for an unknown name.
    ///
    /// # Panics
    /// `policies` is empty.
    pub fn new(policies: &'static [Registration]) -> Self {
        assert!(!policies.is_empty(), "a scheduler needs a policy");
        Self { policies, pools: BTreeMap::new(), insights: BTreeMap::new(), changes: Vec::new() }
    }

    /// Adds a stored insight, with the rows of its policy.
    pub fn restore_insight(
        &mut self,
        insight: &InsightId,
        pool: &PoolId,
        algorithm: &str,
        queue_size: usize,
        rows: &StoredRows,
    ) {
        let node = self.pools.entry(pool.clone()).or_default();
        node.insights.insert(insight.clone());
        let registration = find(self.policies, algorithm);
        let node = InsightNode::new(pool.clone(), registration, queue_size, rows, &node.members);
        self.insights.insert(insight.clone(), node);
    }

    /// Adds an agenda at its place before the stop of the server.
    pub fn restore(&mut self, now: Timestamp, entry: Entry<'_>, place: Restored) {
        if let Some(node) = self.insights.get_mut(entry.insight) {
            node.restore(&mut Context::new(now, entry.insight, &mut self.changes), entry, place);
        }
    }

    /// Takes an event. The decisions fill queues.
    pub fn on(&mut self, now: Timestamp, event: Event<'_>) -> Vec<Decision> {
        let entry = match event {
            Event::Configured(setting) => return self.configure(now, setting),
            Event::Arrived(entry)
            | Event::Withdrawn(entry)
            | Event::Ended { entry, .. }
            | Event::Returned(entry) => entry,
        };
        let Some(node) = self.insights.get_mut(entry.insight) else { return Vec::new() };
        let mut context = Context::new(now, entry.insight, &mut self.changes);
        let mut decisions = Vec::new();
        match event {
            Event::Arrived(_) => node.arrived(&mut context, entry),
            Event::Withdrawn(_) => node.withdrawn(&mut context, entry),
            Event::Ended { cost, .. } => {
                node.told(&mut context, Change::Ended { customer: entry.customer, cost });
            }
            Event::Returned(_) => decisions.push(node.returned(&mut context, entry)),
            Event::Configured(_) => {}
        }
        decisions.extend(node.fill(&mut context, 0));
        decisions
    }

    /// Takes up to `count` agendas for a pool: one from each insight in turn, or all from one insight. The decisions
    /// may put agendas into queues first.
    pub fn pull(
        &mut self,
        now: Timestamp,
        pool: &PoolId,
        only: Option<&InsightId>,
        count: usize,
    ) -> Vec<Decision> {
        let Some(order) = self.serving_order(pool, only) else { return Vec::new() };
        let mut decisions = Vec::new();
        for (insight, share) in self.shares(&order, count) {
            self.fill(now, &insight, share, &mut decisions);
        }
        let mut left = count;
        let mut open = order.clone();
        while left > 0 && !open.is_empty() {
            open.retain(|insight| {
                if left == 0 {
                    return true;
                }
                let Some(node) = self.insights.get_mut(insight) else { return false };
                let Some(decision) = node.start(&mut Context::new(now, insight, &mut self.changes)) else {
                    return false;
                };
                decisions.push(decision);
                left -= 1;
                if let Some(pool) = self.pools.get_mut(pool) {
                    pool.served = Some(insight.clone());
                }
                true
            });
        }
        for insight in &order {
            self.fill(now, insight, 0, &mut decisions);
        }
        decisions
    }

    /// The changes of the policies' rows since the last call.
    pub fn take_changes(&mut self) -> Vec<RowChange> {
        std::mem::take(&mut self.changes)
    }

    /// Number of an insight's agendas that no pool has.
    pub fn waiting(&self, insight: &InsightId) -> usize {
        self.insights.get(insight).map_or(0, InsightNode::len)
    }

    /// The agendas in an insight's queue, in order.
    pub fn queued(&self, insight: &InsightId) -> impl Iterator<Item = AgendaNo> {
        self.insights.get(insight).into_iter().flat_map(InsightNode::queued)
    }

    /// The state of an insight as text, for tests that compare two states.
    #[cfg(test)]
    pub(crate) fn insight(&self, insight: &InsightId) -> Option<&impl std::fmt::Debug> {
        self.insights.get(insight)
    }

    fn fill(&mut self, now: Timestamp, insight: &InsightId, depth: usize, decisions: &mut Vec<Decision>) {
        if let Some(node) = self.insights.get_mut(insight) {
            decisions.extend(node.fill(&mut Context::new(now, insight, &mut self.changes), depth));
        }
    }

    /// The insights from which a pull may take, starting after the insight that gave the last agenda.
    fn serving_order(&self, pool: &PoolId, only: Option<&InsightId>) -> Option<Vec<InsightId>> {
        let node = self.pools.get(pool)?;
        if let Some(insight) = only {
            return node.insights.contains(insight).then(|| vec![insight.clone()]);
        }
        let mut order: Vec<InsightId> = node.insights.iter().cloned().collect();
        if let Some(served) = &node.served {
            let after = order.partition_point(|insight| insight <= served);
            order.rotate_left(after);
        }
        Some(order)
    }

    /// Number of agendas that a pull of `count` takes from each insight: one from each in turn.
    fn shares(&self, insights: &[InsightId], count: usize) -> Vec<(InsightId, usize)> {
        let mut left: Vec<usize> = insights.iter().map(|insight| self.waiting(insight)).collect();
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

    fn configure(&mut self, now: Timestamp, setting: Setting<'_>) -> Vec<Decision> {
        match setting {
            Setting::Insight { insight, pool, algorithm, queue_size } => {
                return self.configure_insight(now, insight, pool, algorithm, queue_size);
            }
            Setting::InsightRemoved(insight) => {
                if let Some(node) = self.insights.remove(insight)
                    && let Some(pool) = self.pools.get_mut(&node.pool)
                {
                    pool.insights.remove(insight);
                }
                self.changes.push(RowChange::Clear { insight: insight.clone() });
            }
            Setting::PoolRemoved(pool) => drop(self.pools.remove(pool)),
            Setting::Joined(customer, pool) => {
                self.pools.entry(pool.clone()).or_default().members.insert(customer.clone());
                self.tell(now, pool, Change::Joined(customer));
            }
            Setting::Left(customer, pool) => {
                if let Some(node) = self.pools.get_mut(pool) {
                    node.members.remove(customer);
                }
                self.tell(now, pool, Change::Left(customer));
            }
        }
        Vec::new()
    }

    fn configure_insight(
        &mut self,
        now: Timestamp,
        insight: &InsightId,
        pool: &PoolId,
        algorithm: &str,
        queue_size: usize,
    ) -> Vec<Decision> {
        let registration = find(self.policies, algorithm);
        let Some(node) = self.insights.get_mut(insight) else {
            self.restore_insight(insight, pool, algorithm, queue_size, &StoredRows::new());
            return Vec::new();
        };
        let old = std::mem::replace(&mut node.pool, pool.clone());
        if old != *pool
            && let Some(old) = self.pools.get_mut(&old)
        {
            old.insights.remove(insight);
        }
        let pool_node = self.pools.entry(pool.clone()).or_default();
        pool_node.insights.insert(insight.clone());
        if old != *pool || node.registration.name != registration.name {
            // A new policy starts a new round.
            self.changes.push(RowChange::Clear { insight: insight.clone() });
            node.switch(registration, &pool_node.members);
        }
        node.queue_size = queue_size;
        node.fill(&mut Context::new(now, insight, &mut self.changes), 0)
    }

    fn tell(&mut self, now: Timestamp, pool: &PoolId, change: Change<'_>) {
        let Some(pool) = self.pools.get(pool) else { return };
        for insight in &pool.insights {
            if let Some(node) = self.insights.get_mut(insight) {
                node.told(&mut Context::new(now, insight, &mut self.changes), change);
            }
        }
    }
}

/// Whether an insight may name this policy.
pub fn is_known(policies: &[Registration], algorithm: &str) -> bool {
    policies.iter().any(|registration| registration.name == algorithm)
}

fn find(policies: &'static [Registration], algorithm: &str) -> &'static Registration {
    policies.iter().find(|registration| registration.name == algorithm).unwrap_or(&policies[0])
}

#[cfg(test)]
mod tests;
