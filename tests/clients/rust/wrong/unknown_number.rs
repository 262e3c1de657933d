// Not one of the numbers that are possible.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs, InputsRequired, Priority};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { priority: Some(Priority::N4), ..required.into() }).await?; // error: E0599
    Ok(())
}

fn main() {
    let _ = wrong;
}
