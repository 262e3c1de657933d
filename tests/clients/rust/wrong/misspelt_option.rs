// The name of an option is misspelt.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};
use pop_sdk::client::typed::SubmitOptions;

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    let options = SubmitOptions { idempotencykey: Some("k".into()), ..SubmitOptions::default() }; // error: E0560
    client.submit_with(required.into(), options).await?;
    Ok(())
}

fn main() {
    let _ = wrong;
}
