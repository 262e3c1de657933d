// An output that may be missing is used as if it were always there.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    let run = client.submit(required.into()).await?;
    let outputs = run.wait().await?;
    println!("{}", outputs.shout.len()); // error: E0624
    Ok(())
}

fn main() {
    let _ = wrong;
}
