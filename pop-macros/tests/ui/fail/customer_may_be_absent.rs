#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow() -> f64 {
        let probe = Probe { url: run.customer };
        probe.duration
    }
}

fn main() {}
