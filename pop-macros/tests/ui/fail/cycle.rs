#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> f64 {
        let first = Probe { url: source } after [second];
        let second = Probe { url: first.title };
        second.duration
    }
}

fn main() {}
