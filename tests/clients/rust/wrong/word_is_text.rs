// A word of a list of words is no text.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { mode: Some("fast".into()), ..required.into() }).await?; // error: E0277
    Ok(())
}

fn main() {
    let _ = wrong;
}
