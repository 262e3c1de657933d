//! The POP server, the pool agent and the command line.

pub mod clock;
pub mod ids;
pub mod pool;
pub mod run;
pub mod runtime;
pub mod ui;
