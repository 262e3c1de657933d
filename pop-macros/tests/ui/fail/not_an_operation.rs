#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow() -> u32 {
        let rung = Rung { height: 720, bitrate: 1 };
        rung.height
    }
}

fn main() {}
