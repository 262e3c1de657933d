// The values of a map have a type, too.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { labels: Some([("team".to_owned(), 7)].into()), ..required.into() }).await?; // error: E0277
    Ok(())
}

fn main() {
    let _ = wrong;
}
