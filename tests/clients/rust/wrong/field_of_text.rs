// An output that is text has no fields.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    let run = client.submit(required.into()).await?;
    let outputs = run.wait().await?;
    println!("{}", outputs.title.first); // error: E0609
    Ok(())
}

fn main() {
    let _ = wrong;
}
