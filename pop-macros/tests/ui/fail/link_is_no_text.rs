#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url, count: u32) -> f64 with { link: count } {
        let probe = Probe { url: source };
        probe.duration
    }
}

fn main() {}
