#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> String {
        let probe = Probe { url: source };
        probe.artist.ok()
    }
}

fn main() {}
