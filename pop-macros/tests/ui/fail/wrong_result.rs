#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> u32 {
        let probe = Probe { url: source };
        probe.title
    }
}

fn main() {}
