#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> f64 {
        let probe = Probe { url: sauce };
        let encode = Encode { source, height: 720, duration: prob.duration };
        let package = Package { renditions: encode[*].file, title: "{nobody}" } with { timeout: "soon" };
        package.manifest
    }
}

fn main() {}
