#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url, ladder: Vec<Rung>) -> Vec<String> {
        let encode = for (i, rung) in ladder {
            Encode { source, height: i, duration: 1.0 }
        };
        encode[*].file
    }
}

fn main() {}
