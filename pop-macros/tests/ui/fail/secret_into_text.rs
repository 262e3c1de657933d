#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

use pop_sdk::Secret;

workflow! {
    pub flow(token: Secret<String>) -> f64 {
        let probe = Probe { url: "https://example.com/{token}" };
        probe.duration
    }
}

fn main() {}
