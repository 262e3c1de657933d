//! `pop rerun`: reruns an ended agenda.

use anyhow::Result;
use clap::Args;
use pop_sdk::api::Rerun;

use super::ServerArgs;
use super::exit::Exit;

/// Arguments of `pop rerun`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pop rerun ag_…                  operations that have not succeeded; succeeded ones keep their outputs
  pop rerun ag_… --all            all operations
  pop rerun ag_… --from package   this operation, and all operations that depend on it

Prints the operations that run again. A generator that runs again replaces its operations.")]
pub struct RerunArgs {
    /// The agenda's id.
    id: String,
    /// Rerun all operations.
    #[arg(long, conflicts_with = "from")]
    all: bool,
    /// Rerun this operation, and all operations that depend on it. Repeatable.
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
