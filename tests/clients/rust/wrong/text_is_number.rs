// Text is expected, a number is given.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    client.submit(InputsRequired { source: "https://x/y.mov".into(), title: 5 }.into()).await?; // error: E0308
    Ok(())
}

fn main() {
    let _ = wrong;
}
