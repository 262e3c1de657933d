//! Runs leased agendas: `state` decides, and is pure; `drive` performs what it decides and brings back what came of it.

mod drive;
mod state;

pub use drive::{Config, drive};
pub use state::{Command, Finish, Finished};
