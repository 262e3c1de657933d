#![deny(warnings)]

use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// A workflow's module has types of these names too.

#[operation("app.client", output = Outputs)]
#[derive(JsonSchema)]
pub struct Client {
    pub flow: Vec<Flow>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Inputs {
    pub url: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Flow {
    pub url: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Outputs {
    pub url: String,
}

workflow! {
    pub hidden(first: Vec<Inputs> = [Inputs { url: "a" }]) -> Outputs {
        let client = for one in first {
            Client { flow: [Flow { url: one.url }] }
        };
        Outputs { url: client[0].url }
    }
}

fn main() {
    let agenda = hidden::compile().agenda(&hidden::Inputs { first: None }).unwrap();
    assert_eq!(agenda.operations[0].payload["flow"][0]["url"], "a");
    let _: Option<hidden::Outputs> = None;
}
