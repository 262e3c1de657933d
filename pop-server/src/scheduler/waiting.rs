//! The agendas of one insight that wait for their turn, by age and by customer.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AgendaNo, CustomerId};

/// The agendas that wait. All operations cost O(log n).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    by_age: BTreeMap<AgendaNo, CustomerId>,
    by_customer: BTreeMap<CustomerId, BTreeSet<AgendaNo>>,
}

impl Waiting {
    /// Adds an agenda; `true` if its customer had none before.
    pub(super) fn insert(&mut self, agenda: AgendaNo, customer: &CustomerId) -> bool {
        self.by_age.insert(agenda, customer.clone());
        if let Some(own) = self.by_customer.get_mut(customer) {
            own.insert(agenda);
            return false;
        }
        self.by_customer.insert(customer.clone(), BTreeSet::from([agenda]));
        true
    }

    /// Takes an agenda out: its customer, and whether that has none left now.
    pub fn remove(&mut self, agenda: AgendaNo) -> Option<(CustomerId, bool)> {
        let customer = self.by_age.remove(&agenda)?;
        let own = self.by_customer.get_mut(&customer)?;
        own.remove(&agenda);
        let last = own.is_empty();
        if last {
            self.by_customer.remove(&customer);
        }
        Some((customer, last))
    }

    /// The oldest agenda of all.
    pub fn oldest(&self) -> Option<AgendaNo> {
        self.by_age.keys().next().copied()
    }

    /// The newest agenda of all.
    pub fn newest(&self) -> Option<AgendaNo> {
        self.by_age.keys().next_back().copied()
    }

    /// The oldest agenda of one customer.
    pub fn oldest_of(&self, customer: &CustomerId) -> Option<AgendaNo> {
        self.by_customer.get(customer)?.first().copied()
    }

    /// The customers that have something, by id.
    pub fn customers(&self) -> impl Iterator<Item = &CustomerId> {
        self.by_customer.keys()
    }

    /// How many agendas wait.
    pub fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }
}
