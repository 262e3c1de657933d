//! The policy `roundRobin`: customers take turns, and a customer without work keeps its turn. The policy follows the
//! two passes of the original POP exactly, but skips customers without work. A call costs the agendas that it takes,
//! plus the active customers once a round.
//!
//! The original POP keeps the list of customers that still have a turn. That list is always the pool's customers in
//! their order, without some. This policy keeps the missing customers, those without a turn: one row for each, with an
//! empty value.

use std::collections::BTreeSet;

use crate::ids::CustomerId;
use crate::scheduler::{Because, Change, Context, Policy, Registration, Start, Taken, Waiting};

pub(super) const REGISTRATION: Registration = Registration {
    name: "roundRobin",
    about: "Customers take turns; a customer without work keeps its turn.",
    start: |start| Box::new(RoundRobin::new(start)),
};

/// The turns of one insight.
#[derive(Clone, Debug)]
struct RoundRobin {
    /// Number of the pool's customers.
    members: usize,
    /// Customers that have used their turn in this round, or that joined during the round.
    spent: BTreeSet<CustomerId>,
    /// Customers that have both a turn and waiting agendas.
    due: BTreeSet<CustomerId>,
}

impl RoundRobin {
    /// Continues the stored round.
    fn new(start: Start<'_>) -> Self {
        let spent = start.rows.keys().map(|customer| CustomerId::from(customer.as_str())).collect();
        let mut turns = Self { members: start.members.len(), spent, due: BTreeSet::new() };
        turns.due = turns.due_now(start.waiting);
        turns
    }

    fn due_now(&self, waiting: &Waiting) -> BTreeSet<CustomerId> {
        waiting.customers().filter(|customer| !self.spent.contains(*customer)).cloned().collect()
    }

    fn take_one(&mut self, customer: CustomerId, because: Because, waiting: &mut Waiting) -> Option<Taken> {
        let agenda = waiting.oldest_of(&customer)?;
        let (_, last) = waiting.remove(agenda)?;
        if last {
            self.due.remove(&customer);
        }
        Some(Taken { agenda, customer, because })
    }

    /// Uses up the turn of a customer.
    fn spend(&mut self, context: &mut Context<'_>, customer: CustomerId) {
        context.rows.put(customer.as_str(), "");
        self.spent.insert(customer);
    }

    /// Starts a round in which the customers of `spent` have had their turn.
    fn start_round(&mut self, context: &mut Context<'_>, spent: BTreeSet<CustomerId>, waiting: &Waiting) {
        context.rows.clear();
        self.spent = BTreeSet::new();
        for customer in spent {
            self.spend(context, customer);
        }
        self.due = self.due_now(waiting);
    }
}

impl Policy for RoundRobin {
    fn take(&mut self, context: &mut Context<'_>, request: usize, waiting: &mut Waiting) -> Vec<Taken> {
        if request == 0 || self.members == 0 {
            return Vec::new();
        }
        if self.spent.len() >= self.members {
            self.start_round(context, BTreeSet::new(), waiting);
        }

        // Pass 1: one agenda for each customer with a turn.
        let mut taken = Vec::new();
        let first: Vec<CustomerId> = self.due.iter().take(request).cloned().collect();
        for customer in &first {
            taken.extend(self.take_one(customer.clone(), Because::Turn, waiting));
            self.due.remove(customer);
        }
        if taken.len() >= request {
            for customer in first {
                self.spend(context, customer);
            }
            return taken;
        }

        // Pass 2: all customers with work, repeatedly. Only this pass uses up turns of the next round.
        let mut spent = BTreeSet::new();
        while taken.len() < request && !waiting.is_empty() {
            let round: Vec<CustomerId> = waiting.customers().take(request - taken.len()).cloned().collect();
            for customer in round {
                taken.extend(self.take_one(customer.clone(), Because::NobodyElse, waiting));
                spent.insert(customer);
            }
        }
        self.start_round(context, spent, waiting);
        taken
    }

    fn on(&mut self, context: &mut Context<'_>, change: Change<'_>, _: &Waiting) {
        match change {
            Change::Arrived { customer, first: true, .. } if !self.spent.contains(customer) => {
                self.due.insert(customer.clone());
            }
            Change::Withdrawn { customer, last: true, .. } => {
                self.due.remove(customer);
            }
            Change::Joined(customer) => {
                self.members += 1;
                // A new customer waits for the next round, unless no turn of this round is used.
                if !self.spent.is_empty() && !self.spent.contains(customer) {
                    self.due.remove(customer);
                    self.spend(context, customer.clone());
                }
            }
            Change::Left(customer) => {
                self.members = self.members.saturating_sub(1);
                self.due.remove(customer);
                if self.spent.remove(customer) {
                    context.rows.delete(customer.as_str());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "round_robin_tests.rs"]
mod tests;
