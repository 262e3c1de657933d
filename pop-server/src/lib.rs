//! The POP server, the pool agent and the command line. The modules stand in the order of their floors: each imports only
//! from those above it.

// typed identifiers
pub mod ids;
// time, ids and randomness
pub mod env;
// which agenda is next
pub mod scheduler;
// what may happen in which state
pub mod core;
// what is durable
pub mod store;
// what drives the core
pub mod engine;
// what every listener shares
mod http;
// what runs operations
pub mod runtime;
// the pool's side
pub mod pool;
// what clients reach
pub mod api;
// the server as a whole
pub mod serve;
// what people see
pub mod terminal;
// the command line
pub mod commands;

pub use pop_sdk::run;
