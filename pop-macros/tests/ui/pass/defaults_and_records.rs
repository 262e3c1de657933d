use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One rung.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rung {
    height: u32,
}

#[operation("media.encode", output = Encoded)]
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Encode {
    rung_height: u32,
    #[serde(rename = "src")]
    source: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Encoded {
    file: String,
}

workflow! {
    /// Encode every rung.
    #[workflow(name = "rungs", version = "1.2.0")]
    pub flow(ladder: Vec<Rung>, source: Option<String>, n: u32 = 3) -> Out {
        let encode = for rung in ladder {
            Encode { rung_height: rung.height, source }
        };
        let one = Encode { rung_height: n, source: Some("x") };
        Out { files: encode[*].file, one: one.file }
    }
}

#[derive(Deserialize)]
#[allow(dead_code)]
pub struct Out {
    files: Vec<String>,
    one: String,
}

fn main() {
    let inputs = flow::Inputs { ladder: vec![Rung { height: 720 }], source: None, n: None };
    let agenda = flow::compile().agenda(&inputs).unwrap();
    assert_eq!(agenda.operations[0].payload["rungHeight"], 720);
    assert_eq!(agenda.operations[1].payload["src"], "x");
    assert_eq!(agenda.operations[1].payload["rungHeight"], 3);
}
