#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> f64 {
        let audit = Probe { url: source };
        let probe = Probe { url: source } after [audi];
        probe.duration
    }
}

fn main() {}
