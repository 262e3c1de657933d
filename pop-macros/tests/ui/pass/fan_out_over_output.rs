#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::Deserialize;

#[operation("app.list", output = Listed)]
#[derive(JsonSchema)]
pub struct List {
    pub folder: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub all_files: Vec<Found>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    pub full_path: String,
}

workflow! {
    pub look(path: String) -> f64 {
        let probe = Probe { url: "file://{path}" };
        probe.duration
    }
}

workflow! {
    pub flow(folder: String) -> Vec<String> {
        let list = List { folder };
        let encode = for (i, file) in list.all_files.iter().enumerate() {
            Encode { source: file.full_path, height: i, duration: 1.0 }
        };
        let looked = for file in list.all_files {
            look::Inputs { path: file.full_path }
        };
        let _package = Package { renditions: encode[*].file, title: "{looked[0]} s" };
        encode[*].file
    }
}

fn main() {
    let workflow = flow::compile();
    let agenda = workflow.agenda(&flow::Inputs { folder: "a".into() }).unwrap();
    let json = serde_json::to_string(&agenda).unwrap();
    assert!(json.contains("@<list.out::/allFiles>"), "{json}");
    assert!(json.contains("/fullPath>"), "{json}");
    assert!(json.contains("@<looked.0.out::/duration>") || json.contains("@<looked.0/probe.out::/duration>"), "{json}");
    let line = |name: &str| workflow.place(name).unwrap().line;
    assert_eq!((line("encode.each"), line("encode.3"), line("looked.2/probe")), (38, 38, 30));
}
