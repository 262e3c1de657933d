//! The command line program `popc`: arguments in, exit code out. The commands are in `pop_compiler::cli`.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;

use clap::Parser;
use pop_compiler::cli::{Command, Output, run};
use pop_compiler::render::text::Colour;

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
    let args = Popc::parse();
    let colour = match anstream::AutoStream::choice(&stderr()) {
        anstream::ColorChoice::Never => Colour::Never,
        _ if stderr().is_terminal() => Colour::Always,
        _ => Colour::Never,
    };
    let (mut out, mut err) = (std::io::BufWriter::new(stdout().lock()), stderr().lock());
    let code = run(&args.command, &mut Output { out: &mut out, err: &mut err, colour });
    // A reader that has gone away (`popc graph … | head`) is no fault.
    let _ = out.flush();
    code
}
