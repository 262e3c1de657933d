//! `pop rerun`: run an ended agenda again.

use anyhow::Result;
use clap::Args;
use pop_sdk::api::Rerun;

use super::ServerArgs;
use super::exit::Exit;

/// Arguments of `pop rerun`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pop rerun ag_…                  what has not succeeded; what has keeps its output
  pop rerun ag_… --all            everything
  pop rerun ag_… --from package   this operation, and all that depend on it

Prints the operations that run again. What generators made is made again when they run again.")]
pub struct RerunArgs {
    /// The agenda's id.
    id: String,
    /// Run everything again.
    #[arg(long, conflicts_with = "from")]
    all: bool,
    /// Run this operation again, and all that depend on it. May be repeated.
    #[arg(long, value_name = "OPERATION")]
    from: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub async fn run(args: RerunArgs) -> Result<Exit> {
    let what = match (args.all, args.from.is_empty()) {
        (true, _) => Rerun::All,
        (false, true) => Rerun::Continue,
        (false, false) => Rerun::Operations(args.from),
    };
    let answer = args.server.client()?.rerun(&args.id, what).await?;
    for operation in answer.reset {
        anstream::println!("{operation}");
    }
    Ok(Exit::Success)
}
