#![deny(warnings)]

#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

workflow! {
    pub flow(/** Where it is. */ source: Url, ladder: Vec<Rung> = []) -> f64 {
        let probe = Probe { url: source };
        let encode = for rung in ladder {
            Encode { source, height: rung.height, duration: probe.duration }
        };
        let _package = Package { renditions: encode[*].file, title: probe.title };
        probe.duration
    }
}

fn main() {
    let workflow = flow::compile();
    let inputs = workflow.inputs_schema().unwrap();
    assert_eq!(inputs["required"], serde_json::json!(["source"]));
    assert_eq!(inputs["properties"]["source"]["description"], "Where it is.");
    assert_eq!(workflow.outputs_schema().unwrap()["properties"]["duration"]["type"], "number");
    let places: Vec<String> = workflow.places().map(|(name, place)| format!("{name} {}:{}", place.line, place.column)).collect();
    assert_eq!(places, ["probe 10:13", "encode 11:13", "_package 14:13"]);
    assert_eq!(workflow.place("encode.7").unwrap().file, file!());
    // What only the inputs show is said with its place.
    let ladder = (0..1).map(|_| Rung { height: 0, bitrate: 0 }).collect();
    assert!(workflow.agenda(&flow::Inputs { source: "https://example.com/u".into(), ladder: Some(ladder) }).is_ok());
}
