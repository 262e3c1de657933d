// An input that must be given is missing.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    client.submit(InputsRequired { source: "https://x/y.mov".into() }.into()).await?; // error: E0063
    Ok(())
}

fn main() {
    let _ = wrong;
}
