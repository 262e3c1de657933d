#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow() -> f64 {
        let probe = Probe { url: probe.title };
        probe.duration
    }
}

fn main() {}
