//! Imports of other systems' workflows.

pub mod wfcommons;
