//! The command line program `pop`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pop_server::commands::exit::Exit;
use pop_server::commands::{dev, get, guard, pool, rerun, run, save, submit};

/// The compiler allocates very many small values; this allocator halves the time of large workflows.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Check workflows before they run, and run them for many customers in fair turns.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    max_term_width = 110,
    after_help = "\
Start here:
  pop run examples/wordcount/wordcount.pop.toml     run a workflow, no server needed
  pop dev                                           a server and a pool on this machine
  pop submit flow.pop.toml --watch                  submit a workflow and watch the agenda"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile a file and run it here, without a server
    Run(run::RunArgs),
    /// Start a server and a pool in one process, for a laptop or a test
    Dev(dev::DevArgs),
    /// Start a server
    Server(dev::ServerCommand),
    /// Start a pool agent that runs a server's agendas as local processes or as pods
    Pool(pool::PoolArgs),
    /// Compile a file and submit it to a server
    Submit(submit::SubmitArgs),
    /// Show one agenda
    Get(get::GetArgs),
    /// List agendas, newest first
    List(get::ListArgs),
    /// Cancel an agenda
    Cancel(get::CancelArgs),
    /// Rerun an ended agenda
    Rerun(rerun::RerunArgs),
    /// Save a workflow on a server, so that outdated clients are refused
    Save(save::SaveArgs),
    /// Print the logs of an agenda's operations
    Logs(get::LogsArgs),
    /// End a pool's programs when the pool can't
    #[command(hide = true)]
    Guard(guard::GuardArgs),
    #[command(flatten)]
    Compiler(pop_compiler::cli::Command),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    pop_server::runtime::local::be_sole_parent();
    let result = match cli.command {
        Command::Compiler(command) => return pop_compiler::cli::run_here(&command),
        // A guard stands beside every pool, so it runs without threads and stays small.
        Command::Guard(args) => guard::run(&args),
        other => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(anyhow::Error::from)
            .and_then(|runtime| runtime.block_on(dispatch(other))),
    };
    match result {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::from(Exit::of(&error).code())
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Run(args) => run::run(args).await,
        Command::Dev(args) => dev::dev(args).await,
        Command::Server(args) => dev::serve(args).await,
        Command::Pool(args) => pool::run(args).await,
        Command::Submit(args) => submit::run(args).await,
        Command::Get(args) => get::get(args).await,
        Command::List(args) => get::list(args).await,
        Command::Cancel(args) => get::cancel(args).await,
        Command::Rerun(args) => rerun::run(args).await,
        Command::Save(args) => save::run(args).await,
        Command::Logs(args) => get::logs(args).await,
        Command::Guard(_) | Command::Compiler(_) => Ok(Exit::Usage),
    }
}
