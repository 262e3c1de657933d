//! Admission of attempts: a number of attempts at a time, and declared resources within the pool's capacity. Pure
//! bookkeeping. Attempts that do not fit wait in the order of their arrival. An attempt without declared resources
//! never waits behind one with large resources.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::run::Resources;
use crate::runtime::Capacity;

/// The capacity of a runtime, and the attempts that run or wait.
#[derive(Debug)]
pub struct Admission<K> {
    total: Capacity,
    free: Resources,
    running: HashMap<K, Claim>,
    /// Waiting attempts by arrival. Attempts with declared resources wait apart, so that they only delay each other.
    heavy: BTreeMap<u64, (K, Claim)>,
    light: BTreeMap<u64, (K, Claim)>,
    waiting: HashMap<K, u64>,
    arrivals: u64,
    attempts: usize,
}

/// The share of the capacity that an attempt takes while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Declared resources; zero means undeclared.
    pub resources: Resources,
    /// Whether the attempt counts towards the number of attempts: programs count, built-in types do not.
    pub counted: bool,
}

/// The answer to a request for admission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The attempt may start now.
    Start,
    /// The attempt waits for this reason; a later [`Admission::release`] returns its key.
    Wait(String),
    /// The attempt asks for more than the whole capacity.
    Never,
}

impl<K: Copy + Eq + Hash> Admission<K> {
    /// The whole capacity, without any attempt.
    pub fn new(total: Capacity) -> Self {
        Self {
            total,
            free: total.resources,
            running: HashMap::new(),
            heavy: BTreeMap::new(),
            light: BTreeMap::new(),
            waiting: HashMap::new(),
            arrivals: 0,
            attempts: 0,
        }
    }

    /// The whole capacity.
    pub fn total(&self) -> Capacity {
        self.total
    }

    /// Requests admission of an attempt.
    pub fn admit(&mut self, key: K, claim: Claim) -> Answer {
        if !fits(claim.resources, self.total.resources) {
            return Answer::Never;
        }
        let declares = claim.resources != Resources::default();
        let queue_is_empty = if declares { self.heavy.is_empty() } else { self.light.is_empty() };
        if claim == Claim::default() || (queue_is_empty && self.has_room(claim)) {
            self.start(key, claim);
            return Answer::Start;
        }
        let queue = if declares { &mut self.heavy } else { &mut self.light };
        self.arrivals += 1;
        queue.insert(self.arrivals, (key, claim));
        self.waiting.insert(key, self.arrivals);
        Answer::Wait(self.reason(claim))
    }

    /// Records the end of an attempt, running or waiting. Returns the attempts that may start now.
    pub fn release(&mut self, key: &K) -> Vec<K> {
        if let Some(claim) = self.running.remove(key) {
            self.free.cpu_millis += claim.resources.cpu_millis;
            self.free.memory += claim.resources.memory;
            self.attempts -= usize::from(claim.counted);
        } else if let Some(arrival) = self.waiting.remove(key) {
            self.heavy.remove(&arrival);
            self.light.remove(&arrival);
        }
        let mut started = Vec::new();
        while let Some((key, claim)) = self.next() {
            self.start(key, claim);
            started.push(key);
        }
        started
    }

    /// Takes the attempt that has waited longest, from the heads of both queues that fit.
    fn next(&mut self) -> Option<(K, Claim)> {
        let first = |queue: &BTreeMap<u64, (K, Claim)>| {
            queue.first_key_value().filter(|(_, (_, claim))| self.has_room(*claim)).map(|(at, _)| *at)
        };
        let (key, claim) = match (first(&self.heavy), first(&self.light)) {
            (Some(heavy), light) if light.is_none_or(|light| heavy < light) => self.heavy.remove(&heavy)?,
            (_, light) => self.light.remove(&light?)?,
        };
        self.waiting.remove(&key);
        Some((key, claim))
    }

    fn start(&mut self, key: K, claim: Claim) {
        self.free.cpu_millis -= claim.resources.cpu_millis;
        self.free.memory -= claim.resources.memory;
        self.attempts += usize::from(claim.counted);
        if claim != Claim::default() {
            self.running.insert(key, claim);
        }
    }

    fn has_room(&self, claim: Claim) -> bool {
        fits(claim.resources, self.free) && (!claim.counted || self.attempts < self.total.attempts)
    }

    fn reason(&self, claim: Claim) -> String {
        if claim.counted && self.attempts >= self.total.attempts {
            return format!("waits for capacity: all {} programs of this pool run", self.total.attempts);
        }
        let (asked, total) = (claim.resources, self.total.resources);
        format!(
            "waits for {} of {} millicores and {} of {} bytes of memory; {} and {} are free",
            asked.cpu_millis,
            total.cpu_millis,
            asked.memory,
            total.memory,
            self.free.cpu_millis,
            self.free.memory
        )
    }
}

fn fits(needs: Resources, room: Resources) -> bool {
    needs.cpu_millis <= room.cpu_millis && needs.memory <= room.memory
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(cpu_millis: u64, attempts: usize) -> Admission<char> {
        Admission::new(Capacity { resources: Resources { cpu_millis, memory: 1 << 30 }, attempts })
    }

    fn cpu(cpu_millis: u64) -> Claim {
        Claim { resources: Resources { cpu_millis, memory: 0 }, counted: true }
    }

    fn waits(answer: Answer) -> bool {
        matches!(answer, Answer::Wait(_))
    }

    #[test]
    fn what_fits_starts_and_the_rest_waits_in_order() {
        let mut admission = admission(2000, 10);
        assert_eq!(admission.admit('a', cpu(1500)), Answer::Start);
        assert!(waits(admission.admit('b', cpu(1000))));
        assert!(waits(admission.admit('c', cpu(500))), "a small one does not overtake");
        assert_eq!(admission.admit('d', Claim::default()), Answer::Start);
        assert_eq!(admission.admit('e', cpu(2001)), Answer::Never);
        assert_eq!(admission.release(&'a'), ['b', 'c']);
    }

    #[test]
    fn programs_without_declared_needs_are_counted() {
        let mut admission = admission(2000, 2);
        assert_eq!(admission.admit('a', cpu(0)), Answer::Start);
        assert_eq!(admission.admit('b', cpu(0)), Answer::Start);
        let Answer::Wait(reason) = admission.admit('c', cpu(0)) else { panic!("two is the most") };
        assert_eq!(reason, "waits for capacity: all 2 programs of this pool run");
        let built_in = Claim::default();
        assert_eq!(admission.admit('d', built_in), Answer::Start, "no program");
        assert!(admission.release(&'d').is_empty());
        assert_eq!(admission.release(&'b'), ['c']);
    }

    #[test]
    fn one_that_asks_for_much_holds_up_only_its_like() {
        let mut admission = admission(2000, 3);
        assert_eq!(admission.admit('a', cpu(2000)), Answer::Start);
        assert!(waits(admission.admit('b', cpu(2000))));
        assert_eq!(admission.admit('c', cpu(0)), Answer::Start);
        assert_eq!(admission.admit('d', cpu(0)), Answer::Start);
        assert!(waits(admission.admit('e', cpu(0))));
        assert_eq!(admission.release(&'c'), ['e'], "`b` does not fit, and is not in the way");
        assert_eq!(admission.release(&'a'), ['b']);
    }

    #[test]
    fn one_that_gave_up_no_longer_blocks() {
        let mut admission = admission(1000, 9);
        assert_eq!(admission.admit('a', cpu(1000)), Answer::Start);
        assert!(waits(admission.admit('b', cpu(1000))));
        assert!(waits(admission.admit('c', cpu(1000))));
        assert!(admission.release(&'b').is_empty());
        assert_eq!(admission.release(&'a'), ['c']);
        assert!(admission.release(&'a').is_empty(), "nothing is given back twice");
    }
}
