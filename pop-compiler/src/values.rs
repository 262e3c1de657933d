//! Values at run time: checks against their types, and outputs from standard output.
//!
//! Types travel in an agenda as JSON Schemas (2020-12). One checker compares submitted inputs and outputs of operations
//! with these schemas.

mod check;
mod output;
mod stdout;

pub(crate) use check::{Fault, Kind, compare};
pub use output::{Misfit, MisfitKind, check_output, declared};
pub use stdout::from_stdout;
pub(crate) use stdout::{Filled, filled};
