//! Values at run time: whether one is of its type, and what a program's standard output becomes.
//!
//! Types travel in an agenda as JSON Schemas (2020-12). What is submitted and what an operation gives are compared with
//! them by the same code.

mod check;
mod output;
mod stdout;

pub(crate) use check::{Fault, Kind, compare};
pub use output::{Misfit, MisfitKind, check_output, declared};
pub use stdout::from_stdout;
pub(crate) use stdout::{Filled, filled};
