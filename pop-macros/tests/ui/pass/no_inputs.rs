#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    probe_one() -> Probed {
        let probe = Probe { url: "https://example.com/a.mov" };
        probe
    }
}

fn main() {
    let workflow = probe_one::compile();
    let agenda = workflow.agenda(&probe_one::Inputs {}).unwrap();
    assert_eq!(agenda.operations[0].kind, "media.probe");
    assert_eq!(workflow.single_output(), Some("result"));
    assert!(workflow.to_json().starts_with("{\n  \"title\": \"probe-one\""));
}
