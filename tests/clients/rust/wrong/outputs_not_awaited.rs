// Outputs come later.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    let run = client.submit(required.into()).await?;
    println!("{}", run.wait().title); // error: E0609
    Ok(())
}

fn main() {
    let _ = wrong;
}
