//! The command line program `popc`: arguments in, exit code out. The commands are in `pop_compiler::cli`.

use std::process::ExitCode;

use clap::Parser;
use pop_compiler::cli::{Command, run_here};

/// Compiling makes very many small values; this halves the time that large workflows take.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Checks and compiles POP workflows.
///
/// A workflow is a *.pop.toml or *.pop.json file; it compiles to Agenda JSON that a POP server runs.
#[derive(Debug, Parser)]
#[command(
    name = "popc",
    version,
    after_help = "Start with:\n  popc check flow.pop.toml\n  popc build flow.pop.toml -o out/"
)]
struct Popc {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    run_here(&Popc::parse().command)
}
