//! Who may start: so many attempts at a time, and declared resources together within what there is. Pure bookkeeping. Those
//! that don't fit wait in the order of their arrival; one that declares nothing never waits behind one that asks for much.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::run::Resources;
use crate::runtime::Capacity;

/// What a runtime can run at the same time, and who waits for it.
#[derive(Debug)]
pub struct Admission<K> {
    total: Capacity,
    free: Resources,
    running: HashMap<K, Claim>,
    /// By arrival. Those with declared resources wait apart, so that they hold up only each other.
    heavy: BTreeMap<u64, (K, Claim)>,
    light: BTreeMap<u64, (K, Claim)>,
    waiting: HashMap<K, u64>,
    arrivals: u64,
    attempts: usize,
}

/// What an attempt takes while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// What it declares; zero where it declares nothing.
    pub resources: Resources,
    /// Whether it is one of the attempts that are counted: a program, not a built-in type.
    pub counted: bool,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It may start now.
    Start,
    /// It waits, for this reason; [`Admission::release`] will name it.
    Wait(String),
    /// It asks for more than there is at all.
    Never,
}

impl<K: Copy + Eq + Hash> Admission<K> {
    /// Nothing runs yet.
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

    /// All that there is.
    pub fn total(&self) -> Capacity {
        self.total
    }

    /// Asks for an attempt's place.
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

    /// An attempt has ended, or no longer wants to start. Gives those that may start now.
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

    /// The one that has waited longest of those that fit.
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
            return format!("waits for one of {} programs of this pool to end", self.total.attempts);
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
        assert_eq!(reason, "waits for one of 2 programs of this pool to end");
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
