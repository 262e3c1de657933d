//! A pool's side: the agent fetches leased agendas from a server and keeps the leases, the executor runs them and reports.
//! Both are a pure state and a thin driver. Neither decides what an event means for an agenda (that is [`crate::run`])
//! or knows processes (that is [`crate::runtime`]) or HTTP (that is [`port::http`]).

pub mod admission;
pub mod agent;
pub mod builtin;
pub mod delivery;
pub mod executor;
pub mod fence;
pub mod port;
pub mod reports;
