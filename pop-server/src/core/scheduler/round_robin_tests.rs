//! POP's own behaviours of the round robin, by value, and the traced run of its reference.

use std::collections::BTreeSet;

use super::super::{Scheduler, Taken, TurnChange};
use crate::core::record::Algorithm;
use crate::ids::{AgendaNo, CustomerId};

/// A pool's customers and one insight under round robin.
struct Fixture {
    scheduler: Scheduler,
    customers: Vec<CustomerId>,
    spent: BTreeSet<CustomerId>,
    owner: std::collections::BTreeMap<AgendaNo, CustomerId>,
}

impl Fixture {
    fn new(customers: &[&str], spent: &[&str]) -> Self {
        let spent: BTreeSet<CustomerId> = spent.iter().map(|c| CustomerId::from(*c)).collect();
        Self {
            scheduler: Scheduler::new(Algorithm::RoundRobin, spent.clone()),
            customers: customers.iter().map(|c| CustomerId::from(*c)).collect(),
            spent,
            owner: std::collections::BTreeMap::new(),
        }
    }

    fn add(&mut self, customer: &str, count: usize) {
        for _ in 0..count {
            let no = AgendaNo(self.owner.len() as u64 + 1);
            self.owner.insert(no, CustomerId::from(customer));
            self.scheduler.insert(no, &CustomerId::from(customer));
        }
    }

    /// The owners of what was taken, in order.
    fn take(&mut self, request: usize) -> Vec<&str> {
        let Taken { agendas, turns } = self.scheduler.take(request, self.customers.len());
        match turns {
            TurnChange::Unchanged => {}
            TurnChange::Spent(more) => self.spent.extend(more),
            TurnChange::Round(spent) => self.spent = spent.into_iter().collect(),
        }
        agendas.iter().map(|no| self.owner[no].as_str()).collect()
    }

    /// POP's pending list, as the stored changes give it.
    fn pending(&self) -> Vec<&str> {
        self.customers.iter().filter(|c| !self.spent.contains(*c)).map(CustomerId::as_str).collect()
    }
}

#[test]
fn no_customers_means_nothing_to_take_and_no_change() {
    let mut none = Fixture::new(&[], &[]);
    assert!(none.take(1).is_empty());
    assert!(none.pending().is_empty());
}

#[test]
fn with_nothing_stored_everybody_has_a_turn() {
    assert_eq!(Fixture::new(&["A", "B", "C"], &[]).pending(), ["A", "B", "C"]);
}

#[test]
fn a_stored_round_goes_on_where_it_was() {
    let mut stored = Fixture::new(&["A", "B", "C"], &["A"]);
    stored.add("A", 1);
    stored.add("B", 1);
    stored.add("C", 1);
    assert_eq!(stored.take(2), ["B", "C"]);
}

#[test]
fn one_for_the_only_customer_with_work() {
    let mut pool = Fixture::new(&["A", "B", "C"], &[]);
    pool.add("A", 3);
    assert_eq!(pool.take(1), ["A"]);
    assert_eq!(pool.pending(), ["B", "C"]);
}

#[test]
fn two_of_three_then_the_second_pass() {
    let mut pool = Fixture::new(&["A", "B", "C"], &[]);
    for customer in ["A", "B", "C"] {
        pool.add(customer, 1);
    }
    assert_eq!(pool.take(2), ["A", "B"]);
    assert_eq!(pool.pending(), ["C"]);
    assert_eq!(pool.take(2), ["C"]);
    assert_eq!(pool.pending(), ["A", "B", "C"]);
}

#[test]
fn everything_is_taken_and_the_idle_customer_keeps_its_turn() {
    let mut pool = Fixture::new(&["A", "B", "C", "D"], &["A", "B", "C"]);
    pool.add("A", 6);
    pool.add("B", 4);
    pool.add("C", 9);
    let taken = pool.take(19);
    let count = |c: &str| taken.iter().filter(|owner| **owner == c).count();
    assert_eq!((count("A"), count("B"), count("C")), (6, 4, 9));
    assert!(pool.pending().contains(&"D"));
}

#[test]
fn a_request_for_nothing_changes_nothing() {
    let mut pool = Fixture::new(&["A", "B"], &["A"]);
    pool.add("A", 1);
    assert!(pool.take(0).is_empty());
    assert_eq!(pool.pending(), ["B"]);
}

#[test]
fn the_traced_run() {
    let mut pool = Fixture::new(&["A", "B", "C", "D"], &[]);
    pool.add("A", 6);
    pool.add("B", 1);
    pool.add("C", 3);
    let expected: [(usize, &[&str], &[&str]); 6] = [
        (2, &["A", "B"], &["C", "D"]),
        (2, &["C", "A"], &["B", "C", "D"]),
        (2, &["C", "A"], &["B", "C", "D"]),
        (2, &["C", "A"], &["B", "C", "D"]),
        (4, &["A", "A"], &["B", "C", "D"]),
        (2, &[], &["A", "B", "C", "D"]),
    ];
    for (run, (request, taken, pending)) in expected.into_iter().enumerate() {
        assert_eq!(pool.take(request), taken, "run {}", run + 1);
        assert_eq!(pool.pending(), pending, "run {}", run + 1);
    }
    pool.add("B", 2);
    assert_eq!(pool.take(2), ["B", "B"]);
    assert_eq!(pool.pending(), ["A", "C", "D"]);
}

#[test]
fn an_empty_pending_list_starts_a_full_round() {
    let mut pool = Fixture::new(&["A", "B"], &[]);
    pool.add("A", 3);
    pool.add("B", 3);
    assert_eq!(pool.take(2), ["A", "B"]);
    assert!(pool.pending().is_empty());
    assert_eq!(pool.take(3), ["A", "B", "A"]);
    assert_eq!(pool.pending(), ["B"]);
}

#[test]
fn a_newcomer_waits_for_the_next_round() {
    let mut pool = Fixture::new(&["A", "B"], &[]);
    pool.add("A", 2);
    pool.add("B", 2);
    assert_eq!(pool.take(1), ["A"]);
    let newcomer = CustomerId::from("0");
    pool.customers.insert(0, newcomer.clone());
    assert_eq!(pool.scheduler.joined(&newcomer), TurnChange::Spent(vec![newcomer]));
    pool.add("0", 1);
    assert_eq!(pool.take(1), ["B"]);
    assert_eq!(pool.take(1), ["0"]);
}

#[test]
fn what_is_removed_is_not_taken() {
    let mut pool = Fixture::new(&["A", "B"], &[]);
    pool.add("A", 1);
    pool.add("B", 1);
    pool.scheduler.remove(AgendaNo(1));
    assert_eq!(pool.take(2), ["B"]);
    assert!(pool.scheduler.is_empty());
}
