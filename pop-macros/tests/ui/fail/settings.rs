#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> f64 {
        let probe = Probe { url: source }
            with { timeout: "2 hourz", retry: { attemps: 3 }, resources: { cpu: "many" }, colour: "red" };
        probe.duration
    }
}

fn main() {}
