#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> String {
        let encode = Encode { .., source };
        encode.file
    }
}

fn main() {}
