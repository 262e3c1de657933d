#![deny(unused_variables, deprecated)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url, verbose: bool) -> f64 {
        let probe = Probe { url: source };
        let encode = Encode { source, height: 720, duration: probe.duration };
        probe.duration
    }
}

fn main() {}
