//! `pop save`: saves workflows on a server, so that the server can refuse clients of other versions.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use pop_compiler::client::Input;
use pop_compiler::diagnostic::has_errors;
use pop_compiler::{agenda::keys, cli};
use serde_json::Value;

use super::exit::Exit;
use super::{ServerArgs, load};

/// Arguments of `pop save`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pop save flows/encode.pop.toml
  pop save agendas/*.template.json --server http://pop.example:7070

The server refuses a client of another version with the list of changes, unless the saved version is
compatible.")]
pub struct SaveArgs {
    /// Workflows (`*.pop.toml`, `*.pop.json`), templates or agendas in JSON.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Save the workflows for this customer only; default: for all customers.
    #[arg(long)]
    customer: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub async fn run(args: SaveArgs) -> Result<Exit> {
    let client = args.server.client()?;
    // All files are checked before the first one is saved.
    let mut inputs = Vec::with_capacity(args.files.len());
    for file in &args.files {
        let compiled = cli::compile_file(file)?;
        load::show(&compiled.diagnostics, &compiled.sources);
        match Input::new(file.display().to_string(), &compiled) {
            Some(input) if !has_errors(&compiled.diagnostics) => inputs.push(input),
            _ => return Ok(Exit::Findings),
        }
    }
    for input in inputs {
        let header = input.template.agenda.params.get(keys::WORKFLOW);
        let Some(name) = header.and_then(|h| h.get("name")).and_then(Value::as_str) else {
            anyhow::bail!(
                "could not save {}: no workflow name in `{}`. Build the file with `popc build`",
                input.file,
                keys::WORKFLOW
            );
        };
        let view = client.save_template(args.customer.as_deref(), name, &input.template).await?;
        let version = view.version.map(|version| format!(" {version}")).unwrap_or_default();
        anstream::println!("{}{version} {}", view.name, view.digest);
    }
    Ok(Exit::Success)
}
