// The name of an input is misspelt.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { rugns: Some(vec![]), ..required.into() }).await?; // error: E0560
    Ok(())
}

fn main() {
    let _ = wrong;
}
