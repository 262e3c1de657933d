// A secret is wrapped, so that it is not shown.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { token: Some("secret".to_owned()), ..required.into() }).await?; // error: E0308
    Ok(())
}

fn main() {
    let _ = wrong;
}
