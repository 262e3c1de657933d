// All inputs are missing.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    client.submit(Inputs::default()).await?; // error: E0599
    Ok(())
}

fn main() {
    let _ = wrong;
}
