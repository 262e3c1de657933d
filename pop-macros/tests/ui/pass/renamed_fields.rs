#![deny(warnings)]

use std::collections::BTreeMap;

use pop_sdk::{record, workflow};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[pop_sdk::operation("a.shoot", output = Shot)]
#[derive(Serialize, JsonSchema)]
pub struct Shoot {
    pub frame: Frame,
    pub number: u32,
}

#[record]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    #[serde(rename = "no")]
    pub frame_number: u32,
    /// The two names are swapped.
    #[serde(rename = "b")]
    pub a: String,
    #[serde(rename = "a")]
    pub b: String,
}

#[record]
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shot {
    #[serde(rename = "@best/frame")]
    pub best: Frame,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(rename = "by-key")]
    pub keyed: BTreeMap<String, Frame>,
    pub other_frames: Vec<Frame>,
    #[serde(rename = "raw")]
    pub anything: serde_json::Value,
}

/// Without a JSON Schema.
#[record]
#[derive(Deserialize)]
pub struct Album {
    #[serde(rename = "sort")]
    pub kind: Option<String>,
    #[serde(rename = "frames")]
    pub taken: Vec<u32>,
}

/// One field renamed: what is left on both sides is one field.
#[derive(Deserialize)]
pub struct Plain {
    #[serde(rename = "sort")]
    pub kind: String,
    pub raw: serde_json::Value,
}

workflow! {
    pub shoot(frames: Vec<Frame> = [Frame { frame_number: 7, a: "x", b: "y" }]) -> Album {
        let first = Shoot { frame: Frame { frame_number: 1, a: "x", b: "y" }, number: 1 };
        let again = for frame in first.other_frames {
            Shoot { frame, number: frame.frame_number }
        };
        let last = Shoot { frame: first.best, number: first.best.frame_number } after [again];
        let late = for frame in frames { Shoot { frame, number: frame.frame_number } } after [last];
        Album { kind: late[0].kind, taken: again[*].best.frame_number }
    }
}

workflow! {
    pub outer() -> Plain {
        let album = shoot::Inputs { .. };
        let one = Shoot { frame: Frame { frame_number: album.taken[0], a: "x", b: "y" }, number: 1 };
        Plain { raw: one.anything, kind: "{one.best.a}{one.best.b}" }
    }
}

#[pop_sdk::operation("a.look", output = Looked)]
#[derive(Serialize, JsonSchema)]
pub struct Look {}

#[derive(Deserialize, JsonSchema)]
pub struct Looked {
    #[serde(rename = "type")]
    pub kind: String,
}

workflow! {
    pub without() -> String {
        let look = Look {};
        look.kind
    }
}

fn main() {
    let template = shoot::compile().template().clone();
    let operations = &template.agenda.operations;
    assert_eq!(operations[0].payload["frame"].to_string(), r#"{"a":"y","b":"x","no":1}"#);
    assert_eq!(operations[1].payload["number"], "@<pop.each::/no>");
    assert_eq!(operations[1].params["pop.each"], "@<first.out::/otherFrames>");
    assert_eq!(operations[2].payload["frame"], "@<first.out::/@best~1frame>");
    assert_eq!(operations[2].payload["number"], "@<first.out::/@best~1frame/no>");
    assert_eq!(operations[3].payload["number"], "@<pop.each::/no>");
    let default = &template.params["pop.inputs"]["properties"]["frames"]["default"][0];
    assert_eq!(default.to_string(), r#"{"a":"y","b":"x","no":7}"#);
    let result = &template.agenda.params["pop.result"];
    assert_eq!(result["frames"], "@<again.*.out::/@best~1frame/no>");
    assert_eq!(result["sort"], "@<late.0.out::/type?=null>");

    let template = outer::compile().template().clone();
    let one = template.agenda.operations.iter().find(|o| o.name == "one").unwrap();
    assert_eq!(one.payload["frame"]["no"], "@<album/again.0.out::/@best~1frame/no>");
    let result = &template.agenda.params["pop.result"];
    assert_eq!(result["raw"], "@<one.out::/raw>");
    assert_eq!(result["sort"], "@<one.out::/@best~1frame/b>@<one.out::/@best~1frame/a>");

    let found = without::try_compile().unwrap_err().to_string();
    assert!(found.contains("unknown JSON name of field `kind` of `Looked`"), "{found}");
    assert!(found.contains("put `#[pop_sdk::record]` above the `#[derive(…)]`"), "{found}");
    assert!(found.contains("the workflow is written at"), "{found}");
}
