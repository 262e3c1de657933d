//! What a policy must not forget: rows of a key and a value that belong to it alone. The store keeps them without knowing
//! what they mean, in the transaction of the command that changed them.

use std::collections::BTreeMap;

use crate::ids::InsightId;

/// The rows of one insight's policy, by key.
pub type StoredRows = BTreeMap<String, String>;

/// A change to the rows of an insight's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// Create or replace a row.
    Put {
        /// The insight.
        insight: InsightId,
        /// The row's key.
        key: String,
        /// Its value.
        value: String,
    },
    /// Remove a row.
    Delete {
        /// The insight.
        insight: InsightId,
        /// The row's key.
        key: String,
    },
    /// Remove all rows.
    Clear {
        /// The insight.
        insight: InsightId,
    },
}

/// Where a policy writes its rows.
#[derive(Debug)]
pub struct Rows<'a> {
    insight: &'a InsightId,
    changes: &'a mut Vec<RowChange>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(insight: &'a InsightId, changes: &'a mut Vec<RowChange>) -> Self {
        Self { insight, changes }
    }

    /// Creates or replaces a row.
    pub fn put(&mut self, key: &str, value: &str) {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.changes.push(RowChange::Put { insight: self.insight.clone(), key, value });
    }

    /// Removes a row.
    pub fn delete(&mut self, key: &str) {
        self.changes.push(RowChange::Delete { insight: self.insight.clone(), key: key.to_owned() });
    }

    /// Removes all rows.
    pub fn clear(&mut self) {
        self.changes.push(RowChange::Clear { insight: self.insight.clone() });
    }
}
