#![deny(warnings)]

use pop_sdk::workflow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[pop_sdk::operation("a.shoot", output = Shot)]
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shoot {
    pub exposure_time: f64,
    #[serde(rename = "type")]
    pub kind: String,
    pub all_frames: Vec<Frame>,
    pub r#final: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Frame {
    pub frame_number: u32,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shot {
    pub best_frame: Frame,
    pub other_frames: Vec<Frame>,
    pub real_time: f64,
}

workflow! {
    pub shoot(frames: Vec<Frame> = [Frame { frame_number: 7 }]) -> u32 {
        let first = Shoot { exposure_time: 0.5, kind: "jpg", all_frames: [Frame { frame_number: 1 }], r#final: false };
        let again = for frame in frames {
            Shoot { exposure_time: first.real_time, kind: "no. {frame.frame_number}", all_frames: frames, r#final: true }
        };
        again[0].best_frame.frame_number
    }
}

fn main() {
    let template = shoot::compile().template().clone();
    let first = &template.agenda.operations[0].payload;
    assert_eq!(first["exposureTime"].to_string(), "0.5");
    assert_eq!(first["type"], "jpg");
    assert_eq!(first["allFrames"][0]["frame-number"].to_string(), "1");
    assert_eq!(template.params["pop.inputs"]["properties"]["frames"]["default"][0]["frame-number"].to_string(), "7");
    let again = &template.agenda.operations[1].payload;
    assert_eq!(again["exposureTime"], "@<first.out::/realTime>");
    assert_eq!(again["type"], "no. @<pop.each::/frame-number>");
    assert_eq!(template.agenda.params["pop.result"]["frame_number"], "@<again.0.out::/bestFrame/frame-number>");
}
