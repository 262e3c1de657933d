//! The pool. The agent pulls leased agendas from a server and renews the leases; the executor runs the agendas and
//! reports. Both consist of a pure state and a thin driver.
//!
//! [`crate::run`] decides the meaning of events for an agenda, [`crate::runtime`] knows processes, and [`port::http`]
//! knows HTTP; agent and executor know none of these.

pub mod admission;
pub mod agent;
pub mod builtin;
pub mod delivery;
pub mod executor;
pub mod fence;
pub mod port;
pub mod reports;
