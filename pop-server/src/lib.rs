//! The POP server, the pool agent and the command line. The modules stand in the order of their floors: each imports only
//! from those above it.

#![cfg_attr(not(feature = "server"), allow(dead_code, reason = "the shim needs a part of what listeners share"))]

// typed identifiers
pub mod ids;
// time, ids and randomness
pub mod env;
// which agenda is next
#[cfg(feature = "server")]
pub mod scheduler;
// what may happen in which state
#[cfg(feature = "server")]
pub mod core;
// what is durable
#[cfg(feature = "server")]
pub mod store;
// what drives the core
#[cfg(feature = "server")]
pub mod engine;
// what every listener shares
mod http;
// what runs operations
pub mod runtime;
// the pool's side
#[cfg(feature = "server")]
pub mod pool;
// what clients reach
#[cfg(feature = "server")]
pub mod api;
// the server as a whole
#[cfg(feature = "server")]
pub mod serve;
// what people see
#[cfg(feature = "server")]
pub mod terminal;
// the command line
#[cfg(feature = "server")]
pub mod commands;

pub use pop_sdk::run;
