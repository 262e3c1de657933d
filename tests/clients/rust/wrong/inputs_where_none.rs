// The workflow takes no inputs.
#[path = "../flows/mod.rs"]
mod flows;

use flows::greet::{Client, Inputs};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    client.submit(Inputs { name: "you" }).await?; // error: E0560
    Ok(())
}

fn main() {
    let _ = wrong;
}
