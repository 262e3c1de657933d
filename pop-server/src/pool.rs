//! A pool's side: the executor drives the runs of leased agendas, the agent fetches them from a server and reports back.
//! Nothing here decides what an event means (that is [`crate::run`]) or knows processes (that is [`crate::runtime`]).

pub mod agent;
pub mod builtin;
pub mod executor;
pub mod outbox;
pub mod slots;
mod uplink;
