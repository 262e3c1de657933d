//! Oldest first, whoever it belongs to.

use super::{Policy, ReadySet, Taken, TurnChange};
use crate::ids::CustomerId;

/// First in, first out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fifo;

impl Policy for Fifo {
    fn take(&mut self, request: usize, ready: &mut ReadySet, _members: usize) -> Taken {
        let mut taken = Taken::default();
        while taken.agendas.len() < request
            && let Some(agenda) = ready.oldest()
        {
            ready.remove(agenda);
            taken.agendas.push(agenda);
        }
        taken
    }

    fn activated(&mut self, _customer: &CustomerId) {}

    fn idled(&mut self, _customer: &CustomerId) {}

    fn joined(&mut self, _customer: &CustomerId) -> TurnChange {
        TurnChange::Unchanged
    }

    fn left(&mut self, _customer: &CustomerId) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AgendaNo;

    fn ready(count: u64) -> ReadySet {
        let mut ready = ReadySet::default();
        for no in 1..=count {
            ready.insert(AgendaNo(no), &CustomerId::from(if no % 2 == 0 { "even" } else { "odd" }));
        }
        ready
    }

    fn take(request: usize, ready: &mut ReadySet) -> Vec<u64> {
        Fifo.take(request, ready, 2).agendas.into_iter().map(|no| no.0).collect()
    }

    #[test]
    fn nothing_ready_gives_an_empty_list() {
        assert_eq!(take(1, &mut ready(0)), Vec::<u64>::new());
    }

    #[test]
    fn one_of_five_is_the_oldest() {
        let mut ready = ready(5);
        assert_eq!(take(1, &mut ready), [1]);
        assert_eq!(ready.len(), 4);
    }

    #[test]
    fn five_of_ten_are_the_five_oldest() {
        assert_eq!(take(5, &mut ready(10)), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn there_is_no_limit_but_the_request() {
        assert_eq!(take(500, &mut ready(300)).len(), 300);
    }
}
