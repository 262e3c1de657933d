//! Room for operations that declare what they need. Pure bookkeeping: who fits starts, the others wait in order of
//! arrival; operations without declared needs are never held back.

use std::collections::VecDeque;

use crate::run::Needs;

/// The machine's room, and who waits for it.
#[derive(Debug)]
pub struct Slots<T> {
    total: Needs,
    free: Needs,
    waiting: VecDeque<(Needs, T)>,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission<T> {
    /// It may start now.
    Start(T),
    /// It waits; [`Slots::release`] will give it back.
    Wait,
    /// It asks for more than there is at all.
    Never(T),
}

impl<T: PartialEq> Slots<T> {
    /// Room for `total`.
    pub fn new(total: Needs) -> Self {
        Self { total, free: total, waiting: VecDeque::new() }
    }

    /// The whole room.
    pub fn total(&self) -> Needs {
        self.total
    }

    /// Asks for room. Nobody overtakes one that waits.
    pub fn admit(&mut self, needs: Needs, item: T) -> Admission<T> {
        if !fits(needs, self.total) {
            Admission::Never(item)
        } else if needs == Needs::default() || (self.waiting.is_empty() && fits(needs, self.free)) {
            self.take(needs);
            Admission::Start(item)
        } else {
            self.waiting.push_back((needs, item));
            Admission::Wait
        }
    }

    /// Gives room back; returns those that may start now.
    pub fn release(&mut self, needs: Needs) -> Vec<T> {
        self.free.cpu_millis = (self.free.cpu_millis + needs.cpu_millis).min(self.total.cpu_millis);
        self.free.memory = (self.free.memory + needs.memory).min(self.total.memory);
        let mut start = Vec::new();
        while self.waiting.front().is_some_and(|(needs, _)| fits(*needs, self.free)) {
            if let Some((needs, item)) = self.waiting.pop_front() {
                self.take(needs);
                start.push(item);
            }
        }
        start
    }

    /// Forgets one that waits; false when it doesn't wait.
    pub fn forget(&mut self, item: &T) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|(_, i)| i != item);
        self.waiting.len() != before
    }

    fn take(&mut self, needs: Needs) {
        self.free.cpu_millis -= needs.cpu_millis;
        self.free.memory -= needs.memory;
    }
}

fn fits(needs: Needs, room: Needs) -> bool {
    needs.cpu_millis <= room.cpu_millis && needs.memory <= room.memory
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(cpu_millis: u64) -> Needs {
        Needs { cpu_millis, memory: 0 }
    }

    #[test]
    fn what_fits_starts_and_the_rest_waits_in_order() {
        let mut slots = Slots::new(cpu(2000));
        assert_eq!(slots.admit(cpu(1500), 'a'), Admission::Start('a'));
        assert_eq!(slots.admit(cpu(1000), 'b'), Admission::Wait);
        assert_eq!(slots.admit(cpu(500), 'c'), Admission::Wait, "a small one does not overtake");
        assert_eq!(slots.admit(Needs::default(), 'd'), Admission::Start('d'));
        assert_eq!(slots.admit(cpu(2001), 'e'), Admission::Never('e'));
        assert_eq!(slots.release(cpu(1500)), ['b', 'c']);
    }

    #[test]
    fn one_that_gave_up_no_longer_blocks() {
        let mut slots = Slots::new(cpu(1000));
        assert_eq!(slots.admit(cpu(1000), 'a'), Admission::Start('a'));
        assert_eq!(slots.admit(cpu(1000), 'b'), Admission::Wait);
        assert_eq!(slots.admit(cpu(1000), 'c'), Admission::Wait);
        assert!(slots.forget(&'b'));
        assert!(!slots.forget(&'a'));
        assert_eq!(slots.release(cpu(1000)), ['c']);
    }
}
