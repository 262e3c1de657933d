#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    #[workflow(name = "flow", verison = "1")]
    pub flow(source: Url) -> f64 {
        let probe = Probe { url = source };
        let encode = Encode { source, height: 720 + 1, duration: 1.0 };
        let package = Package { renditions: [] } wehn true;
        package.manifest
        let late = Probe { url: source };
    }
}

fn main() {}
