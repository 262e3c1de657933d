#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> String {
        let probe = Probe { url: source };
        let package = Package { renditions: [], title: "Ladder of {probe.titel}" };
        package.manifest
    }
}

fn main() {}
