//! The round robin's behaviours in the original POP, by value, and the traced run of the reference.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::*;
use crate::ids::{AgendaNo, InsightId};
use crate::scheduler::{RowChange, StoredRows};

/// A pool's customers and one insight under round robin, with the policy's rows as the store keeps them.
struct Fixture {
    policy: RoundRobin,
    waiting: Waiting,
    customers: Vec<CustomerId>,
    rows: StoredRows,
    owner: BTreeMap<AgendaNo, CustomerId>,
}

impl Fixture {
    fn new(customers: &[&str], spent: &[&str]) -> Self {
        let customers: Vec<CustomerId> = customers.iter().map(|c| CustomerId::from(*c)).collect();
        let rows = spent.iter().map(|customer| ((*customer).to_owned(), String::new())).collect();
        let (waiting, members) = (Waiting::default(), customers.iter().cloned().collect::<BTreeSet<_>>());
        let policy = RoundRobin::new(Start { rows: &rows, members: &members, waiting: &waiting });
        Self { policy, waiting, customers, rows, owner: BTreeMap::new() }
    }

    /// Calls the policy and stores the rows that the policy writes.
    fn call<T>(&mut self, call: impl FnOnce(&mut RoundRobin, &mut Context<'_>, &mut Waiting) -> T) -> T {
        let (insight, mut changes) = (InsightId::from("i"), Vec::new());
        let mut context = Context::new(Timestamp::UNIX_EPOCH, &insight, &mut changes);
        let result = call(&mut self.policy, &mut context, &mut self.waiting);
        for change in changes {
            match change {
                RowChange::Put { key, value, .. } => drop(self.rows.insert(key, value)),
                RowChange::Delete { key, .. } => drop(self.rows.remove(&key)),
                RowChange::Clear { .. } => self.rows.clear(),
            }
        }
        result
    }

    fn add(&mut self, customer: &str, count: usize) {
        let customer = CustomerId::from(customer);
        for _ in 0..count {
            let agenda = AgendaNo(self.owner.len() as u64 + 1);
            self.owner.insert(agenda, customer.clone());
            self.call(|policy, context, waiting| {
                let first = waiting.insert(agenda, &customer);
                policy.on(context, Change::Arrived { agenda, customer: &customer, first }, waiting);
            });
        }
    }

    fn remove(&mut self, agenda: AgendaNo) {
        self.call(|policy, context, waiting| {
            let (customer, last) = waiting.remove(agenda).unwrap();
            policy.on(context, Change::Withdrawn { agenda, customer: &customer, last }, waiting);
        });
    }

    fn join(&mut self, customer: &CustomerId) {
        self.call(|policy, context, waiting| policy.on(context, Change::Joined(customer), waiting));
    }

    /// The owners of the taken agendas, in order.
    fn take(&mut self, request: usize) -> Vec<&str> {
        let taken = self.call(|policy, context, waiting| policy.take(context, request, waiting));
        taken.iter().map(|taken| self.owner[&taken.agenda].as_str()).collect()
    }

    /// The pending list of the original POP, derived from the stored rows.
    fn pending(&self) -> Vec<&str> {
        self.customers
            .iter()
            .filter(|c| !self.rows.contains_key(c.as_str()))
            .map(CustomerId::as_str)
            .collect()
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
    pool.join(&newcomer);
    assert_eq!(pool.rows.keys().collect::<Vec<_>>(), ["0", "A"]);
    pool.add("0", 1);
    assert_eq!(pool.take(1), ["B"]);
    assert_eq!(pool.take(1), ["0"]);
}

#[test]
fn what_is_removed_is_not_taken() {
    let mut pool = Fixture::new(&["A", "B"], &[]);
    pool.add("A", 1);
    pool.add("B", 1);
    pool.remove(AgendaNo(1));
    assert_eq!(pool.take(2), ["B"]);
    assert!(pool.waiting.is_empty());
}
