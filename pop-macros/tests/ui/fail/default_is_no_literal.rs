#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url, length: f64) -> String {
        let probe = Probe { url: source };
        let encode = Encode { source, height: 720, duration: probe.duration.unwrap_or(length) };
        encode.file
    }
}

fn main() {}
