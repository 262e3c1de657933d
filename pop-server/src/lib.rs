//! The POP server, the pool agent and the command line.

pub mod api;
pub mod commands;
pub mod core;
pub mod engine;
pub mod env;
mod http;
pub mod ids;
pub mod pool;
pub use pop_sdk::run;
pub mod runtime;
pub mod scheduler;
pub mod serve;
pub mod store;
pub mod terminal;
