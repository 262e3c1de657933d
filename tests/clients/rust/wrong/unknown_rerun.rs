// There is no such way to run again.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};
use pop_sdk::api::Rerun;

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    let run = client.submit(required.into()).await?;
    run.rerun(Rerun::Everything).await?; // error: E0599
    Ok(())
}

fn main() {
    let _ = wrong;
}
