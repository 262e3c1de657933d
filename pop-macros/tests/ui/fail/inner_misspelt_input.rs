#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub check(file: Url, height: u32, title: String = "none") -> f64 {
        let probe = Probe { url: file };
        let _encode = Encode { source: title, height, duration: probe.duration };
        probe.duration
    }
}

workflow! {
    pub flow(source: Url) -> f64 {
        let qc = check::Inputs { fil: source, height: 1, title: None };
        qc
    }
}

fn main() {}
