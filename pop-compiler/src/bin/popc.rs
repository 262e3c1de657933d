//! The command line program `popc`. The commands are in `pop_compiler::cli`.

use std::process::ExitCode;

use clap::Parser;
use pop_compiler::cli::{Command, run_here};

/// A fast allocator: a compilation makes very many small values, and `mimalloc` halves the time for large workflows.
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
