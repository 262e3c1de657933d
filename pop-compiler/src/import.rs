//! Workflows of other systems, turned into files of the workflow language.

pub mod wfcommons;
