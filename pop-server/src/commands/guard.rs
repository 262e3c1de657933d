//! `pop guard`: ends a pool's programs when the pool can't. Pools start it themselves, so it is hidden from the help.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::exit::Exit;
use crate::runtime::local;

/// Arguments of `pop guard`.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// The pool's work folder, without links in its path.
    #[arg(long, value_name = "DIR")]
    work: PathBuf,
    /// Which start of a pool the programs belong to.
    #[arg(long, value_name = "ID")]
    start: String,
}

/// Runs the command.
pub fn run(args: &GuardArgs) -> Result<Exit> {
    local::stand(&args.work, &args.start)?;
    Ok(Exit::Success)
}
