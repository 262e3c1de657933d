// An output has no such field.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    let run = client.submit(required.into()).await?;
    let outputs = run.wait().await?;
    println!("{}", outputs.rungs[0].width); // error: E0609
    Ok(())
}

fn main() {
    let _ = wrong;
}
