// There is no such input.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { colour: Some("red"), ..required.into() }).await?; // error: E0560
    Ok(())
}

fn main() {
    let _ = wrong;
}
