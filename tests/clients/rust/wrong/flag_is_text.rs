// true or false is expected, text is given.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { loud: Some("yes"), ..required.into() }).await?; // error: E0308
    Ok(())
}

fn main() {
    let _ = wrong;
}
