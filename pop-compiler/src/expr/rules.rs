//! The rules that reading a `${…}` itself finds broken; `crate::rules` has the table of all.

pub(crate) mod bad_expression;
pub(crate) mod bad_pointer;
