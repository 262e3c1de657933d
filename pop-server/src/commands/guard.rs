//! `pop guard`: ends a pool's programs when the pool can't. Pools start this command themselves, so the help hides it.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::exit::Exit;
use crate::runtime::local;

/// Arguments of `pop guard`.
#[derive(Debug, Args)]
pub struct GuardArgs {
    /// The pool's work folder, as a path without symbolic links.
    #[arg(long, value_name = "DIR")]
    work: PathBuf,
    /// Id of the runtime's start that started the programs.
    #[arg(long, value_name = "ID")]
    start: String,
}

/// Runs the command.
pub fn run(args: &GuardArgs) -> Result<Exit> {
    local::stand(&args.work, &args.start)?;
    Ok(Exit::Success)
}
