// The inputs themselves are missing.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::Client;

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    client.submit().await?; // error: E0061
    Ok(())
}

fn main() {
    let _ = wrong;
}
