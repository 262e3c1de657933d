#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> String {
        let probe = Probe { url: source };
        let one = Package { renditions: [], title: "Ladder of {probe.title" };
        let two = Package { renditions: [], title: "Ladder of }" };
        let three = Package { renditions: [], title: "Ladder of {probe + 1}" };
        one.manifest
    }
}

fn main() {}
