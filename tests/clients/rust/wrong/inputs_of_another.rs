// The inputs of another workflow.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::Client;

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let inputs = flows::gate::Inputs { file: "/tmp/x".into(), seconds: None };
    client.submit(inputs).await?; // error: E0308
    Ok(())
}

fn main() {
    let _ = wrong;
}
