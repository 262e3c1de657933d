// Not one of the words that are possible.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired, Mode};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { mode: Some(Mode::Fastest), ..required.into() }).await?; // error: E0599
    Ok(())
}

fn main() {
    let _ = wrong;
}
