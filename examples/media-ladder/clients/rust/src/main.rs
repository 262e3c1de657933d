//! Submits the media ladder with its generated client, shows how far it is, and prints the outputs. Ctrl-C cancels it.
//!
//! ```sh
//! media-ladder-client http://127.0.0.1:7070 clip.pgm published
//! ```

mod flows;

use std::path::absolute;
use std::process::ExitCode;

use flows::media_ladder::{Client, Inputs, InputsRequired, Outputs, Run, Rung};
use futures_util::StreamExt as _;
use pop_sdk::client::typed::WaitError;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, source, target] = arguments.as_slice() else { anyhow::bail!("say URL SOURCE TARGET") };
    let [source, target] = [absolute(source)?, absolute(target)?].map(|path| path.display().to_string());
    let inputs = Inputs {
        title: Some("a wandering bar".into()),
        ladder: Some([(64, 36), (32, 24), (16, 18)].map(|(greys, height)| Rung { greys, height }).to_vec()),
        ..InputsRequired { source, target }.into()
    };
    let run = Client::connect(server)?.submit(inputs).await?;
    println!("submitted {}", run.id());

    tokio::select! {
        shown = show(&run) => shown?,
        _ = tokio::signal::ctrl_c() => drop(run.cancel().await?),
    }
    Ok(match run.wait().await {
        Ok(Outputs { manifest, renditions, frames }) => {
            println!("{frames} pictures in {} sizes", renditions.len());
            println!("published: {}", manifest.as_deref().unwrap_or("nothing, for nothing moves"));
            ExitCode::SUCCESS
        }
        Err(WaitError::Cancelled) => {
            eprintln!("cancelled");
            ExitCode::from(4)
        }
        Err(error @ WaitError::Failed { .. }) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
        Err(error) => return Err(error.into()),
    })
}

/// A line for everything that happens to an operation.
async fn show(run: &Run) -> anyhow::Result<()> {
    let mut events = std::pin::pin!(run.watch());
    while let Some(event) = events.next().await {
        let event = event?;
        let Some(operation) = event.operation else { continue };
        let (state, message) = (operation.state.as_str(), operation.message.unwrap_or_default());
        println!("{:3.0} %  {}  {state}  {message}", event.percent, operation.name);
    }
    Ok(())
}
