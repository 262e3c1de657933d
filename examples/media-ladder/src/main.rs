//! Prints the media ladder's template, makes a clip to play with, or submits the workflow and waits for the typed result.
//!
//! ```sh
//! media-ladder                                             # prints the template
//! media-ladder sample clip.pgm [PICTURES]                  # writes a clip, of 24 pictures if nothing else is said
//! media-ladder http://127.0.0.1:7070 clip.pgm published    # submits
//! ```

use std::path::PathBuf;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use media_ladder::{clip, media_ladder as flow};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => print!("{}", flow::compile().to_json()),
        ["sample", file] => sample(file, 24)?,
        ["sample", file, pictures] => {
            sample(file, pictures.parse().with_context(|| format!("{pictures} is no number of pictures"))?)?;
        }
        [server, source, target] if server.starts_with("http") => {
            submit(server, absolute(source)?, absolute(target)?).await?;
        }
        _ => anyhow::bail!("say nothing, `sample FILE [PICTURES]`, or `URL SOURCE TARGET`"),
    }
    Ok(())
}

fn sample(file: &str, pictures: u32) -> anyhow::Result<()> {
    std::fs::write(file, clip::sample(pictures)).with_context(|| format!("can't write {file}"))
}

fn absolute(path: &str) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{path} is no path"))
}

async fn submit(server: &str, source: PathBuf, target: PathBuf) -> anyhow::Result<()> {
    let client = flow::Client::connect(server)?;
    let inputs = flow::Inputs { source, target, title: Some("a wandering bar".to_owned()), ladder: None };
    let run = client.submit(inputs).await?;
    println!("submitted {}", run.id());
    let mut events = std::pin::pin!(run.watch());
    while let Some(event) = events.next().await {
        if let Some(operation) = event?.operation {
            println!("{:>4.0} %  {}", operation.percent, operation.name);
        }
    }
    let ladder = run.wait().await?;
    println!("{} pictures in {} sizes", ladder.frames, ladder.renditions.len());
    if let Some(manifest) = ladder.manifest {
        println!("published: {}", manifest.display());
    }
    Ok(())
}
