#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(heights: Vec<u32>) -> Vec<String> {
        let encode = for (i, height) in heights.iter().enumerate() {
            Encode { source: i, height, duration: 1.0 }
        };
        encode[*].file
    }
}

fn main() {}
