//! The queue of one insight: chosen agendas that wait for a pool, by position.

use std::collections::BTreeMap;

use crate::ids::{AgendaNo, CustomerId};

/// Chosen agendas by position; smaller positions go first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue {
    by_position: BTreeMap<i64, (AgendaNo, CustomerId)>,
    positions: BTreeMap<AgendaNo, i64>,
}

impl Queue {
    /// Puts an agenda back at its stored position.
    pub(super) fn insert(&mut self, position: i64, agenda: AgendaNo, customer: CustomerId) {
        self.by_position.insert(position, (agenda, customer));
        self.positions.insert(agenda, position);
    }

    /// Puts an agenda behind all others, and returns its position.
    pub(super) fn push_back(&mut self, agenda: AgendaNo, customer: CustomerId) -> i64 {
        let position = self.by_position.last_key_value().map_or(0, |(last, _)| last + 1);
        self.insert(position, agenda, customer);
        position
    }

    /// Puts an agenda before all others, and returns its position.
    pub(super) fn push_front(&mut self, agenda: AgendaNo, customer: CustomerId) -> i64 {
        let position = self.by_position.first_key_value().map_or(0, |(first, _)| first - 1);
        self.insert(position, agenda, customer);
        position
    }

    pub(super) fn pop_front(&mut self) -> Option<(AgendaNo, CustomerId)> {
        let (_, (agenda, customer)) = self.by_position.pop_first()?;
        self.positions.remove(&agenda);
        Some((agenda, customer))
    }

    /// Removes an agenda, if present.
    pub(super) fn remove(&mut self, agenda: AgendaNo) {
        if let Some(position) = self.positions.remove(&agenda) {
            self.by_position.remove(&position);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_position.len()
    }

    /// The agendas by position.
    pub(super) fn iter(&self) -> impl Iterator<Item = AgendaNo> {
        self.by_position.values().map(|(agenda, _)| *agenda)
    }
}
