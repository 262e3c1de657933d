//! Runs leased agendas: `state` decides and is pure; `drive` performs the decisions and returns their results.

mod drive;
mod state;

pub use drive::{Config, drive};
pub use state::{Command, Finish, Finished};
