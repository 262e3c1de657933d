use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::Deserialize;

#[operation("media.probe", output = Probed)]
#[derive(JsonSchema)]
pub struct Probe {
    url: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Probed {
    duration: f64,
    has_video: bool,
    title: String,
    heights: Vec<u32>,
}

#[operation("media.encode", output = Encoded)]
#[derive(JsonSchema)]
pub struct Encode {
    source: String,
    height: u32,
    duration: f64,
}

#[derive(Deserialize, JsonSchema)]
pub struct Encoded {
    file: String,
}

#[operation("media.package", output = Packaged)]
#[derive(JsonSchema)]
pub struct Package {
    files: Vec<String>,
    title: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Packaged {
    manifest: String,
}

workflow! {
    pub flow(source: String, heights: Vec<u32>) -> String {
        let probe = Probe { url: source };
        let encode = for height in heights {
            Encode { source, height, duration: probe.duration }
        };
        let package = Package { files: encode[*].file, title: "Ladder of {probe.title}" } when probe.has_video after [encode];
        package.manifest
    }
}

// How many there are is known once `probe` has run; the same goes for what follows from that.
workflow! {
    pub over_outputs(source: String) -> Vec<String> {
        let probe = Probe { url: source };
        let encode = for height in probe.heights {
            Encode { source, height, duration: probe.duration }
        };
        let again = for file in encode[*].file {
            Encode { source: file, height: 1, duration: 1.0 }
        };
        again[*].file
    }
}

fn main() {
    let workflow = flow::compile();
    let inputs = flow::Inputs { source: "a".into(), heights: vec![1080, 720] };
    let agenda = workflow.agenda(&inputs).unwrap();
    let names: Vec<&str> = agenda.operations.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["probe", "encode.0", "encode.1", "package"]);
    assert_eq!(agenda.operations[3].params["pop.when"], "@<probe.out::/has_video>");

    let agenda = over_outputs::compile().agenda(&over_outputs::Inputs { source: "a".into() }).unwrap();
    let names: Vec<&str> = agenda.operations.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["probe", "encode.each", "again.each"]);
    assert_eq!(agenda.operations[2].payload["items"], "@<encode.*.out::/file>");
}
