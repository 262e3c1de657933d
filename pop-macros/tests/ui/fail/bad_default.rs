#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url, height: u32 = "tall") -> String {
        let encode = Encode { source, height, duration: 1.0 };
        encode.file
    }
}

fn main() {}
