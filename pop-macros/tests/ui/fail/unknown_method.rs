#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> f64 {
        let probe = Probe { url: source };
        probe.duration.round()
    }
}

fn main() {}
