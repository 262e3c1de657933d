//! `pop submit`: compiles a file, submits the agenda to a server, and watches it on request.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use futures_util::StreamExt as _;
use pop_sdk::api::{AgendaState, SubmitRequest};
use pop_sdk::client::Client;

use super::exit::Exit;
use super::load::{self, Inputs};
use super::{ServerArgs, print_failure};
use crate::env::{Clock as _, SystemClock};
use crate::run::Plan;
use crate::terminal::{Overview, live::Live, safe};

/// Arguments of `pop submit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pop submit examples/wordcount/wordcount.pop.toml --watch
  pop submit flow.pop.toml --input inputs.json --customer acme

Prints the agenda's id; with --watch, the agenda's outputs as JSON. The exit codes with --watch are those
of `pop run`.")]
pub struct SubmitArgs {
    /// A workflow (`*.pop.toml`, `*.pop.json`), an agenda or a template in JSON.
    file: PathBuf,
    #[command(flatten)]
    inputs: Inputs,
    /// Customer that owns the agenda.
    #[arg(long)]
    customer: Option<String>,
    /// Two submissions with one key make one agenda.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Watch the agenda until its end.
    #[arg(long, short)]
    watch: bool,
    /// With --watch: show only errors and outputs.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub async fn run(args: SubmitArgs) -> Result<Exit> {
    let client = args.server.client()?;
    let loaded = match load::file(&args.file)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let loaded = match loaded.with_inputs(&args.inputs, &load::folder_of(&args.file))? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let plan = Plan::new(&loaded.agenda).map_err(|failure| anyhow::anyhow!("{}", failure.message))?;
    let title = loaded.agenda.title.clone().unwrap_or_else(|| args.file.display().to_string());
    let request = SubmitRequest {
        agenda: Some(loaded.agenda),
        customer: args.customer,
        idempotency_key: args.idempotency_key,
        ..SubmitRequest::default()
    };
    let run = client.submit(request).await?;
    if !args.watch {
        anstream::println!("{}", run.id());
        return Ok(Exit::Success);
    }
    anstream::eprintln!("{}", run.id());
    let asked = super::listen_for_signals()?;
    let live = Live::start(Overview::new(title, &plan, SystemClock.now()), args.quiet);
    let mut events = std::pin::pin!(run.watch());
    loop {
        tokio::select! {
            event = events.next() => match event {
                None => break,
                Some(event) => {
                    let event = event?;
                    if let Some(again) = &event.again {
                        live.again(again);
                    }
                    if let Some(added) = &event.added {
                        let names = added.operations.iter().map(|o| (o.name.as_str(), o.kind.as_str()));
                        live.add(&added.generator, names);
                    }
                    if let Some(operation) = &event.operation {
                        live.update(operation);
                    }
                }
            },
            () = asked.stop.cancelled() => {
                live.finish().await;
                let id = run.id();
                anstream::eprintln!("stopped watching; agenda {id} is still running. Cancel it with: pop cancel {id}");
                return Ok(Exit::Cancelled);
            }
        }
    }
    live.finish().await;
    outcome(&client, run.id()).await
}

async fn outcome(client: &Client, id: &str) -> Result<Exit> {
    let view = client.get(id).await?;
    match view.state {
        AgendaState::Succeeded => {
            let outputs = view.outputs.unwrap_or_else(|| {
                let all = view.operations.into_iter().filter_map(|o| o.output.map(|out| (o.name, out)));
                serde_json::Value::Object(all.collect())
            });
            anstream::println!("{}", safe::json(&serde_json::to_string_pretty(&outputs)?));
            Ok(Exit::Success)
        }
        AgendaState::Cancelled => {
            anstream::eprintln!("cancelled");
            Ok(Exit::Cancelled)
        }
        _ => {
            if let Some(failure) = &view.failure {
                print_failure(failure);
            }
            Ok(Exit::Failed)
        }
    }
}
