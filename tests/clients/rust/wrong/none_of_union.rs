// None of the types that are possible.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Budget, Client, Inputs, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { budget: Some(Budget::Flag(true)), ..required.into() }).await?; // error: E0599
    Ok(())
}

fn main() {
    let _ = wrong;
}
