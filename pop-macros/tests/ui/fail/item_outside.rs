#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(source: Url, ladder: Vec<Rung>) -> String {
        let encode = for rung in ladder {
            Encode { source, height: rung.height, duration: 1.0 }
        };
        let package = Package { renditions: encode[*].file, title: rung.title };
        package.manifest
    }
}

fn main() {}
