#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(urls: std::collections::BTreeMap<String, Url>) -> f64 {
        let probe = Probe { url: urls["main"] };
        probe.duration
    }
}

fn main() {}
