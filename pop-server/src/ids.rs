//! Ids, made at the edges: time-ordered, with a prefix that people can tell apart.

use uuid::Uuid;

/// A new agenda's id: `ag_` and a version 7 UUID without dashes.
pub fn agenda() -> String {
    format!("ag_{}", Uuid::now_v7().simple())
}

/// A new id for one start of a process.
pub fn instance() -> String {
    format!("in_{}", Uuid::now_v7().simple())
}
