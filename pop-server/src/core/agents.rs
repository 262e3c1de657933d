//! Who speaks for a worker: the instance that attached last, and which instances have fallen silent. This is memory only.
//! A restart derives it from the leases, and what holds nothing and says nothing is forgotten: names come from calls that
//! anybody may make.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::command::Refusal;
use super::{Core, Tx};
use crate::ids::PoolId;

/// An agent that holds nothing is remembered for so long after its last call.
const REMEMBERED: Duration = Duration::from_hours(1);
/// And at most so many are remembered.
const MOST: usize = 10_000;
/// How many of the remembered are looked at with each command; more than one command can add.
const LOOKED_AT: usize = 2;

type Key = (PoolId, String);

/// The agents that the server has heard of.
#[derive(Debug, Default)]
pub(super) struct Agents {
    known: HashMap<Key, Agent>,
    /// Each known one once, by the time at which it is looked at for being forgotten.
    order: VecDeque<(Timestamp, Key)>,
}

#[derive(Debug)]
struct Agent {
    /// The instance that attached last; none if the server has not seen it attach.
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

    /// As loaded: the instances that hold leases of this worker. Where there are several, none is known to be the last.
    pub(super) fn restore(&mut self, now: Timestamp, key: Key, instances: &BTreeSet<&str>) {
        if let Some(only) = instances.first().filter(|_| instances.len() == 1) {
            self.entry(now, key).current = Some((*only).to_owned());
        }
    }

    /// From now on this instance alone speaks for the worker.
    pub(super) fn attach(&mut self, now: Timestamp, pool: &PoolId, worker: &str, instance: &str) {
        let agent = self.entry(now, (pool.clone(), worker.to_owned()));
        agent.current = Some(instance.to_owned());
        agent.silent.clear();
        agent.heard = now;
    }

    /// The instance has called.
    pub(super) fn hear(&mut self, now: Timestamp, pool: &PoolId, worker: &str, instance: &str) {
        if let Some(agent) = self.known.get_mut(&(pool.clone(), worker.to_owned())) {
            agent.silent.remove(instance);
            agent.heard = now;
        }
    }

    /// The instance let a lease run out.
    pub(super) fn lose(&mut self, now: Timestamp, pool: &PoolId, worker: &str, instance: &str) {
        self.entry(now, (pool.clone(), worker.to_owned())).silent.insert(instance.to_owned());
    }

    pub(super) fn is_silent(&self, pool: &PoolId, worker: &str, instance: &str) -> bool {
        let agent = self.known.get(&(pool.clone(), worker.to_owned()));
        agent.is_some_and(|agent| agent.silent.contains(instance))
    }

    /// Whether another instance has attached since.
    pub(super) fn is_superseded(&self, pool: &PoolId, worker: &str, instance: &str) -> bool {
        let agent = self.known.get(&(pool.clone(), worker.to_owned()));
        agent.and_then(|agent| agent.current.as_deref()).is_some_and(|current| current != instance)
    }

    /// Forgets some of those that are neither heard of nor hold anything.
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

/// How long ago that was. A clock that was set back makes nothing older.
fn age(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

impl Core {
    /// A call of this instance has come in. Refused if another one has taken over.
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
