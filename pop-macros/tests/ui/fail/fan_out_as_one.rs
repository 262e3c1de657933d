#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(sources: Vec<Url>) -> f64 {
        let probe = for url in sources { Probe { url } };
        probe.duration
    }
}

fn main() {}
