//! The lasting state of a policy: rows of a key and a value that belong to this policy alone. The store keeps rows
//! without knowing their meaning, in the transaction of the command that changed them.

use std::collections::BTreeMap;

use crate::ids::InsightId;

/// The rows of one insight's policy, by key.
pub type StoredRows = BTreeMap<String, String>;

/// A change to the rows of an insight's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// Create or replace a row.
    Put {
        /// The insight of the policy.
        insight: InsightId,
        /// The row's key.
        key: String,
        /// The row's value.
        value: String,
    },
    /// Remove a row.
    Delete {
        /// The insight of the policy.
        insight: InsightId,
        /// The row's key.
        key: String,
    },
    /// Remove all rows.
    Clear {
        /// The insight of the policy.
        insight: InsightId,
    },
}

/// Collects the changes of one policy's rows.
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
