#![deny(warnings)]

use pop_sdk::builtin::Log;
use pop_sdk::{include_workflow, workflow};

include_workflow!("../flows/ladder.pop.toml");
include_workflow!("../flows/ops/qc.pop.toml" as quality);

type Url = String;

workflow! {
    pub outer(source: Url, files: Vec<String>) -> i64 {
        let ladder = abr_ladder::Inputs {
            source,
            ladder: Some([abr_ladder::Rung { height: 1, bitrate: None }]),
            codec: "h264",
            key: None,
            n2_pass: true,
        };
        let qc = quality::Inputs { file: ladder.files[0], .. };
        let _log = Log { message: json!({ "score": qc.score, "duration": ladder.duration, "files": files }), .. };
        qc.score
    }
}

impl pop_sdk::handle::Text for abr_ladder::Codec {}

fn main() {
    let workflow = abr_ladder::compile();
    let inputs = abr_ladder::Inputs {
        source: "https://example.com/a.mov".into(),
        ladder: Some(vec![
            abr_ladder::Rung { height: 480, bitrate: None },
            abr_ladder::Rung { height: 720, bitrate: Some(1) },
        ]),
        codec: abr_ladder::Codec::H264,
        key: Some(pop_sdk::Secret::new("k".to_owned())),
        n2_pass: false,
    };
    let agenda = workflow.agenda(&inputs).unwrap();
    let mut names: Vec<&str> = agenda.operations.iter().map(|o| o.name.as_str()).collect();
    names.sort();
    assert_eq!(names, ["encode.0", "encode.1", "probe", "qc/look"]);
    assert_eq!(agenda.operations[1].payload["height"], 720);
    let place = workflow.place("encode.1").unwrap();
    assert!(place.file.ends_with("flows/ladder.pop.toml"), "{place}");
    assert_eq!((place.line, place.column), (22, 13));
    assert!(workflow.place("qc/look").unwrap().file.ends_with("ops/qc.pop.toml"));
    assert!(abr_ladder::SOURCE.contains("Probe a mezzanine"));
    let outputs: abr_ladder::Outputs = serde_json::from_str(r#"{ "files": [], "duration": 1.5, "score": 3 }"#).unwrap();
    assert_eq!(outputs.duration, 1.5);

    let outer = outer::compile();
    let agenda = outer.agenda(&outer::Inputs { source: "https://example.com".into(), files: vec![] }).unwrap();
    let mut names: Vec<&str> = agenda.operations.iter().map(|o| o.name.as_str()).collect();
    names.sort();
    assert_eq!(names, ["_log", "ladder/encode.0", "ladder/probe", "ladder/qc/look", "qc/look"]);
}
