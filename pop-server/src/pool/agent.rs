//! A pool's agent: attaches to a server, pulls agendas as long as it has free slots, keeps their leases, gives them back when
//! it stops. `state` decides, and is pure; `drive` makes the calls. It keeps nothing that it could not get back from the
//! server.

mod drive;
mod state;

pub use drive::{Config, Error, work};
