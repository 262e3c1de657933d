#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url) -> f64 {
        let probe = Probe { url: };
        let encode = Encode { source, height: "high", duration: probe.duratoin };
        let again = Encode { source: sorce, height: 1, duration: 1.0 } with { timeout: "soon" };
        let package = Package { renditions: [again.fil], title: encode.file };
        package.manifest
    }
}

fn main() {}
