//! The rules that filling in a template finds broken; `crate::rules` has the table of all.

pub(crate) mod too_large;
