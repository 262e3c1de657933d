//! The instance that speaks for each worker, and the silent instances. This state is memory only: a restart derives it
//! from the leases. The server forgets an agent that neither holds a lease nor calls, because unauthenticated calls
//! bring names.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::command::Refusal;
use super::{Core, Tx};
use crate::ids::PoolId;

/// Time after its last call for which an agent without leases stays known.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Largest number of known agents without leases.
const MOST: usize = 10_000;
/// Number of known agents that each command checks for removal; more than one command can add.
const LOOKED_AT: usize = 2;

type Key = (PoolId, String);

/// The known agents.
#[derive(Debug, Default)]
pub(super) struct Agents {
    known: HashMap<Key, Agent>,
    /// Each known agent once, with the time of its last check for removal.
    order: VecDeque<(Timestamp, Key)>,
}

#[derive(Debug)]
struct Agent {
    /// The instance that attached last; none if the server has not seen an attach.
    current: Option<String>,
    /// Instances that let a lease run out and have not called since.
    silent: BTreeSet<String>,
    heard: Timestamp,
}

impl Agents {
    fn entry(&mut self, now: Timestamp, key: Key) -> &mut Agent {
        if !self.known.contains_key(&key) {
            self.order.push_back((now, key.clone()));
        }
        self.known.entry(key).or_insert_with(|| Agent { current: None, silent: BTreeSet::new(), heard: now })
    }

    /// Restores a worker from the instances that hold its leases. Of several instances, none counts as the last.
    pub(super) fn restore(&mut self, now: Timestamp, key: Key, instances: &BTreeSet<&str>) {
        if let Some(only) = instances.first().filter(|_| instances.len() == 1) {
            self.entry(now, key).current = Some((*only).to_owned());
        }
    }

    /// Makes this instance the only one that speaks for the worker.
    pub(super) fn attach(&mut self, now: Timestamp, pool: &PoolId, worker: &str, instance: &str) {
        let agent = self.entry(now, (pool.clone(), worker.to_owned()));
        agent.current = Some(instance.to_owned());
        agent.silent.clear();
        agent.heard = now;
    }

    /// Records a call of the instance.
    pub(super) fn hear(&mut self, now: Timestamp, pool: &PoolId, worker: &str, instance: &str) {
        if let Some(agent) = self.known.get_mut(&(pool.clone(), worker.to_owned())) {
            agent.silent.remove(instance);
            agent.heard = now;
        }
    }

    /// Records that the instance let a lease run out.
    pub(super) fn lose(&mut self, now: Timestamp, pool: &PoolId, worker: &str, instance: &str) {
        self.entry(now, (pool.clone(), worker.to_owned())).silent.insert(instance.to_owned());
    }

    pub(super) fn is_silent(&self, pool: &PoolId, worker: &str, instance: &str) -> bool {
        let agent = self.known.get(&(pool.clone(), worker.to_owned()));
        agent.is_some_and(|agent| agent.silent.contains(instance))
    }

    /// Whether another instance attached later.
    pub(super) fn is_superseded(&self, pool: &PoolId, worker: &str, instance: &str) -> bool {
        let agent = self.known.get(&(pool.clone(), worker.to_owned()));
        agent.and_then(|agent| agent.current.as_deref()).is_some_and(|current| current != instance)
    }

    /// Removes some of the agents that neither called lately nor hold a lease.
    pub(super) fn forget(&mut self, now: Timestamp, holds: impl Fn(&Key) -> bool) {
        for _ in 0..LOOKED_AT {
            let full = self.order.len() > MOST;
            let due = self.order.front().is_some_and(|(at, _)| age(now, *at) > REMEMBERED);
            if !full && !due {
                return;
            }
            let Some((_, key)) = self.order.pop_front() else { return };
            let heard = self.known.get(&key).map_or(Timestamp::MIN, |agent| agent.heard);
            if holds(&key) || (!full && age(now, heard) <= REMEMBERED) {
                self.order.push_back((now, key));
            } else {
                self.known.remove(&key);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

/// Time since `then`; zero after the clock was set back.
fn age(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

impl Core {
    /// Records a call of this instance. Refused if another instance has taken over.
    pub(super) fn hear(
        &mut self,
        tx: &Tx,
        pool: &PoolId,
        worker: &str,
        instance: &str,
    ) -> Result<(), Refusal> {
        if self.state.agents.is_superseded(pool, worker, instance) {
            return Err(Refusal::Superseded(worker.to_owned()));
        }
        self.state.agents.hear(tx.now, pool, worker, instance);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_leases_are_forgotten() {
        let (pool, start) = (PoolId::from("p"), Timestamp::UNIX_EPOCH);
        let mut agents = Agents::default();
        for n in 0..3 * MOST {
            agents.attach(start, &pool, &n.to_string(), "1");
            agents.forget(start, |(_, worker)| worker == "0");
        }
        assert_eq!(agents.len(), MOST);
        assert!(agents.is_superseded(&pool, "0", "2"), "it holds something");
        let later = start + 2 * REMEMBERED;
        agents.hear(later, &pool, &(3 * MOST - 1).to_string(), "1");
        (0..MOST).for_each(|_| agents.forget(later, |(_, worker)| worker == "0"));
        assert_eq!(agents.len(), 2);
    }
}
