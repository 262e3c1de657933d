// A field that may be missing is used as a number.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    let run = client.submit(required.into()).await?;
    let outputs = run.wait().await?;
    let bitrate: i64 = outputs.rungs[0].bitrate; // error: E0308
    println!("{bitrate}");
    Ok(())
}

fn main() {
    let _ = wrong;
}
