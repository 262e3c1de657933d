// A number is expected, text is given.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, Codec, Inputs, InputsRequired, Rung};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { rungs: Some(vec![Rung { height: "720", type_: Codec::H264, bitrate: None }]), ..required.into() }).await?; // error: E0308
    Ok(())
}

fn main() {
    let _ = wrong;
}
