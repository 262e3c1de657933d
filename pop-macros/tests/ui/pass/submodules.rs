#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

mod deep {
    use crate::media;

    pop_sdk::workflow! {
        /// Types by their paths.
        pub(crate) flow(source: media::Url) -> String {
            let probe = media::Probe { url: source };
            let log = media::Package { renditions: [], title: "a {{brace}} and ${{with.x}} or @<no.out>" } after [probe];
            let none = media::Package { renditions: ["a", probe.title], title: "b" } after [log] when true;
            none.manifest
        }
    }
}

workflow! {
    pub(crate) twice(source: Url) -> f64 {
        let probe = Probe { url: source };
        let again = Probe { url: probe.title };
        again.duration
    }
}

fn main() {
    let flow = deep::flow::try_compile().unwrap();
    // what is written as text stays text
    let log = &flow.template().agenda.operations.iter().find(|o| o.name == "log").unwrap().payload["title"];
    assert_eq!(log, r"a {brace} and ${with.x} or \@<no.out>");
    assert!(twice::try_compile().is_ok());
    let _ = Rung { height: 1, bitrate: 1 };
    let _ = Encode { source: String::new(), height: 1, duration: 1.0 };
}
