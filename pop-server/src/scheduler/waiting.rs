//! The waiting agendas of one insight, by age and by customer.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AgendaNo, CustomerId};

/// Waiting agendas. All operations cost O(log n).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    by_age: BTreeMap<AgendaNo, CustomerId>,
    by_customer: BTreeMap<CustomerId, BTreeSet<AgendaNo>>,
}

impl Waiting {
    /// Adds an agenda. `true` if the customer had no waiting agenda before.
    pub(super) fn insert(&mut self, agenda: AgendaNo, customer: &CustomerId) -> bool {
        self.by_age.insert(agenda, customer.clone());
        if let Some(own) = self.by_customer.get_mut(customer) {
            own.insert(agenda);
            return false;
        }
        self.by_customer.insert(customer.clone(), BTreeSet::from([agenda]));
        true
    }

    /// Removes an agenda. Returns its customer, and whether that customer has no waiting agenda left.
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

    /// The customers with a waiting agenda, by id.
    pub fn customers(&self) -> impl Iterator<Item = &CustomerId> {
        self.by_customer.keys()
    }

    /// Number of waiting agendas.
    pub fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Whether no agenda waits.
    pub fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }
}
