#![deny(warnings)]

use pop_sdk::builtin::Sleep;
use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::Deserialize;

#[operation("app.wait", output = Waited)]
#[derive(JsonSchema)]
pub struct Wait {
    pub seconds: f64,
    pub title: Option<String>,
    #[serde(default)]
    pub level: u32,
}

#[derive(Deserialize, JsonSchema)]
pub struct Waited {
    pub seconds: f64,
}

workflow! {
    pub flow(seconds: f64) -> f64 {
        let pause = Sleep { seconds: Some(seconds), .. };
        let wait = Wait { seconds, .. } after [pause];
        let full = Wait { seconds: wait.seconds, title: Some("x"), level: 2 };
        full.seconds
    }
}

fn main() {
    let agenda = flow::compile().agenda(&flow::Inputs { seconds: 2.5 }).unwrap();
    assert_eq!(agenda.operations[0].payload, serde_json::json!({ "seconds": 2.5 }));
    assert_eq!(agenda.operations[1].payload, serde_json::json!({ "seconds": 2.5 }));
    assert_eq!(agenda.operations[2].payload["level"], 2);
}
