//! The policy `fifo`: the oldest agenda goes first, across all customers.

use crate::scheduler::{Because, Change, Context, Policy, Registration, Taken, Waiting};

pub(super) const REGISTRATION: Registration = Registration {
    name: "fifo",
    about: "The oldest agenda goes first, across all customers.",
    start: |_| Box::new(Fifo),
};

#[derive(Clone, Copy, Debug)]
struct Fifo;

impl Policy for Fifo {
    fn on(&mut self, _: &mut Context<'_>, _: Change<'_>, _: &Waiting) {}

    fn take(&mut self, _: &mut Context<'_>, request: usize, waiting: &mut Waiting) -> Vec<Taken> {
        let mut taken = Vec::new();
        while taken.len() < request
            && let Some(agenda) = waiting.oldest()
            && let Some((customer, _)) = waiting.remove(agenda)
        {
            taken.push(Taken { agenda, customer, because: Because::Oldest });
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ids::{AgendaNo, CustomerId, InsightId};

    fn waiting(count: u64) -> Waiting {
        let mut waiting = Waiting::default();
        for no in 1..=count {
            waiting.insert(AgendaNo(no), &CustomerId::from(if no % 2 == 0 { "even" } else { "odd" }));
        }
        waiting
    }

    fn take(request: usize, waiting: &mut Waiting) -> Vec<u64> {
        let (insight, mut changes) = (InsightId::from("i"), Vec::new());
        let mut context = Context::new(Timestamp::UNIX_EPOCH, &insight, &mut changes);
        Fifo.take(&mut context, request, waiting).into_iter().map(|taken| taken.agenda.0).collect()
    }

    #[test]
    fn nothing_ready_gives_an_empty_list() {
        assert_eq!(take(1, &mut waiting(0)), Vec::<u64>::new());
    }

    #[test]
    fn one_of_five_is_the_oldest() {
        let mut waiting = waiting(5);
        assert_eq!(take(1, &mut waiting), [1]);
        assert_eq!(waiting.len(), 4);
    }

    #[test]
    fn five_of_ten_are_the_five_oldest() {
        assert_eq!(take(5, &mut waiting(10)), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn there_is_no_limit_but_the_request() {
        assert_eq!(take(500, &mut waiting(300)).len(), 300);
    }
}
