#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(height: u32) -> Vec<String> {
        let encode = for h in height {
            Encode { source: "a", height: h, duration: 1.0 }
        };
        encode[*].file
    }
}

fn main() {}
