// A field of an item of a list is missing.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired, RungRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { rungs: Some(vec![RungRequired { height: 720 }.into()]), ..required.into() }).await?; // error: E0063
    Ok(())
}

fn main() {
    let _ = wrong;
}
