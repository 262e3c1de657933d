#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    pub least_height: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    pub run_time: f64,
    pub files: Vec<String>,
}

mod quality {
    use super::*;

    workflow! {
        /// Looks at a file from near.
        pub check(file: Url, options: Options, heights: Vec<u32> = [480], title: Option<String>) -> Quality {
            let probe = Probe { url: file };
            let encode = for height in heights {
                Encode { source: file, height, duration: probe.duration }
            };
            let least = Encode { source: title.unwrap_or("none"), height: options.least_height, duration: 1.0 };
            let all = Package { renditions: encode[*].file, title: least.file };
            Quality { run_time: probe.duration, files: [all.manifest, encode[0].file] }
        }
    }

    workflow! {
        // Its result is one output.
        pub length(file: Url) -> f64 {
            let probe = Probe { url: file };
            probe.duration
        }
    }
}

workflow! {
    pub outer(source: Url, deep: bool) -> Packaged {
        let length = quality::length::Inputs { file: source };
        /// From near.
        let qc = quality::check::Inputs {
            file: source,
            options: Options { least_height: 240 },
            heights: Some([720, 1080]),
            title: None,
        } when deep after [length];
        let again = quality::check::Inputs { file: source, options: Options { least_height: 1 }, .. };
        let encode = Encode { source, height: 1, duration: qc.run_time.unwrap_or(0.0) };
        let other = Encode { source: again.files[0], height: 2, duration: length };
        let package = Package { renditions: [encode.file, other.file], title: "{length} s" };
        package
    }
}

fn main() {
    let workflow = outer::compile();
    let agenda = workflow.agenda(&outer::Inputs { source: "https://example.com/u".into(), deep: true }).unwrap();
    let find = |name: &str| agenda.operations.iter().find(|o| o.name == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(find("length/probe").kind, "media.probe");
    assert_eq!(find("qc/encode.1").payload["height"], 1080);
    assert_eq!(find("qc/least").payload["height"], 240);
    assert_eq!(find("qc/least").payload["source"], "none");
    assert_eq!(find("again/encode.0").payload["height"], 480);
    assert_eq!(find("encode").payload["duration"], "@<qc/probe.out::/duration?=0.0>");
    assert_eq!(find("other").payload["duration"], "@<length/probe.out::/duration>");
    assert_eq!(find("package").payload["title"], "@<length/probe.out::/duration> s");
    let at = |name: &str| workflow.place(name).unwrap().to_string();
    assert!(at("qc").ends_with("workflow_inside.rs:52:13"), "{}", at("qc"));
    assert!(at("qc/encode.1").ends_with("workflow_inside.rs:30:17"), "{}", at("qc/encode.1"));
}
