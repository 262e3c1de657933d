// The name of a field inside a record is misspelt.
#[path = "../flows/mod.rs"]
mod flows;

use flows::media_ladder::{Client, ContactRequired, Inputs, InputsRequired};

async fn wrong(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    let required = InputsRequired { source: "https://x/y.mov".into(), title: "A".into() };
    client.submit(Inputs { notify: Some(ContactRequired { clas: "ops".into() }.into()), ..required.into() }).await?; // error: E0560
    Ok(())
}

fn main() {
    let _ = wrong;
}
