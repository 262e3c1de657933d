//! The agent: attaches to a server, pulls agendas while slots are free, renews leases, and gives them back when the
//! agent stops. `state` decides and is pure; `drive` makes the calls. The agent can restore all its state from the
//! server.

mod drive;
mod state;

pub use drive::{Config, Error, work};
