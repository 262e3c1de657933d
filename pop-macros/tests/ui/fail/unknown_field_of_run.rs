#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> String {
        let probe = Probe { url: source };
        let package = Package { renditions: [run.name], title: probe.title };
        package.manifest
    }
}

fn main() {}
