//! The rules that the readers themselves find broken; `crate::rules` has the table of all.

pub(crate) mod duplicate_name;
pub(crate) mod syntax;
