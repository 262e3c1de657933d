#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

pub struct Result {
    pub title: String,
    pub length: f64,
}

workflow! {
    pub flow(source: Url) -> Result {
        let probe = Probe { url: source };
        Result { title: probe.title, duration: probe.duration }
    }
}

fn main() {}
