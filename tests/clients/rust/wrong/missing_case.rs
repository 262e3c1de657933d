// A word that is possible is forgotten.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired, Mode};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    let run = client.submit(required.into()).await?;
    let outputs = run.wait().await?;
    match outputs.mode { // error: E0004
        Mode::Fast => println!("fast"),
    }
    Ok(())
}

fn main() {
    let _ = wrong;
}
