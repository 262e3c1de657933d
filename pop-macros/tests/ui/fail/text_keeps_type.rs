#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(height: u32) -> String {
        let package = Package { renditions: [], title: "{height}" };
        package.manifest
    }
}

fn main() {}
