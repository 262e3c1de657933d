//! One each in turn; a customer without work keeps its turn. POP's algorithm of two passes, exactly, but without a look
//! at customers that have nothing: the cost of a call is that of what it takes, plus the active customers once a round.
//!
//! POP keeps the list of customers that still have a turn. That list is always the pool's customers in their order
//! without some, so this keeps the others: those whose turn is over.

use std::collections::BTreeSet;

use super::{Policy, ReadySet, Taken, TurnChange};
use crate::ids::{AgendaNo, CustomerId};

/// The turns of one insight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundRobin {
    /// Customers whose turn in this round is over, or that joined while it ran.
    spent: BTreeSet<CustomerId>,
    /// Customers that have both a turn and ready agendas.
    due: BTreeSet<CustomerId>,
}

impl RoundRobin {
    /// Goes on in the middle of a round.
    pub(super) fn resume(spent: BTreeSet<CustomerId>) -> Self {
        Self { spent, due: BTreeSet::new() }
    }

    /// Takes the oldest agenda of `customer`.
    fn take_one(&mut self, customer: &CustomerId, ready: &mut ReadySet) -> Option<AgendaNo> {
        let agenda = ready.oldest_of(customer)?;
        if ready.remove(agenda).is_some() {
            self.due.remove(customer);
        }
        Some(agenda)
    }

    /// Starts a round in which the customers of `spent` have had their turn.
    fn start_round(&mut self, spent: BTreeSet<CustomerId>, ready: &ReadySet) {
        self.due = ready.customers().filter(|c| !spent.contains(*c)).cloned().collect();
        self.spent = spent;
    }
}

impl Policy for RoundRobin {
    fn take(&mut self, request: usize, ready: &mut ReadySet, members: usize) -> Taken {
        if request == 0 || members == 0 {
            return Taken::default();
        }
        let new_round = self.spent.len() >= members;
        if new_round {
            self.start_round(BTreeSet::new(), ready);
        }

        // Pass 1: one each for those that have a turn.
        let mut agendas = Vec::new();
        let first: Vec<CustomerId> = self.due.iter().take(request).cloned().collect();
        for customer in &first {
            agendas.extend(self.take_one(customer, ready));
            self.due.remove(customer);
        }
        if agendas.len() >= request {
            self.spent.extend(first.iter().cloned());
            let turns = if new_round { TurnChange::Round(first) } else { TurnChange::Spent(first) };
            return Taken { agendas, turns };
        }

        // Pass 2: everybody, again and again. Only this pass uses up turns of the next round.
        let mut spent = BTreeSet::new();
        while agendas.len() < request && !ready.is_empty() {
            let round: Vec<CustomerId> = ready.customers().take(request - agendas.len()).cloned().collect();
            for customer in round {
                agendas.extend(self.take_one(&customer, ready));
                spent.insert(customer);
            }
        }
        let turns = TurnChange::Round(spent.iter().cloned().collect());
        self.start_round(spent, ready);
        Taken { agendas, turns }
    }

    fn activated(&mut self, customer: &CustomerId) {
        if !self.spent.contains(customer) {
            self.due.insert(customer.clone());
        }
    }

    fn idled(&mut self, customer: &CustomerId) {
        self.due.remove(customer);
    }

    /// A newcomer waits for the next round, unless none has begun.
    fn joined(&mut self, customer: &CustomerId) -> TurnChange {
        if self.spent.is_empty() || !self.spent.insert(customer.clone()) {
            return TurnChange::Unchanged;
        }
        self.due.remove(customer);
        TurnChange::Spent(vec![customer.clone()])
    }

    fn left(&mut self, customer: &CustomerId) {
        self.spent.remove(customer);
        self.due.remove(customer);
    }
}

#[cfg(test)]
#[path = "round_robin_tests.rs"]
mod tests;
