// Without the rest, every input is said.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Inputs};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    client.submit(Inputs { source: "https://x/y.mov".into(), title: "A".into(), loud: None }).await?; // error: E0063
    Ok(())
}

fn main() {
    let _ = wrong;
}
