#![deny(warnings)]

use std::collections::{BTreeMap, HashMap};

use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[operation("app.step", output = Stepped)]
#[derive(JsonSchema)]
pub struct Step {
    pub files: BTreeMap<String, String>,
    pub sizes: HashMap<String, Size>,
    pub extra: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    pub in_bytes: u64,
}

#[derive(Deserialize, JsonSchema)]
pub struct Stepped {
    pub files: BTreeMap<String, String>,
    pub sizes: HashMap<String, Size>,
    pub any: Value,
}

workflow! {
    pub flow(labels: BTreeMap<String, String>) -> String {
        #[name = "NF.STEP (1)"]
        let first = Step {
            files: BTreeMap::from([("/a/b.txt", "b"), ("it's", labels["x"].unwrap_or("none"))]),
            sizes: HashMap::from([("one", Size { in_bytes: 1 })]),
            extra: json!({ "list": [1, -2.5, true, null, "t"], "nested": { "label": "{labels[\"y\"]}" } }),
        };
        let second = Step {
            files: BTreeMap::from([("c", first.files["/a/b.txt"].unwrap_or("none")), ("d", first.files["it's"].unwrap_or("none"))]),
            sizes: std::collections::HashMap::from([("two", Size { in_bytes: 2 })]),
            extra: serde_json::json!([first.sizes["one"], first.any["deep"]["er"], first.any[0]]),
        } after [first];
        second.files["c"].unwrap_or("")
    }
}

fn main() {
    let workflow = flow::compile();
    let labels = BTreeMap::from([("x".to_owned(), "1".to_owned()), ("y".to_owned(), "2".to_owned())]);
    let agenda = workflow.agenda(&flow::Inputs { labels }).unwrap();
    let [first, second] = agenda.operations.as_slice() else { panic!() };
    assert_eq!(first.name, "NF.STEP (1)");
    assert_eq!(first.payload["files"]["it's"], "1");
    assert_eq!(first.payload["sizes"]["one"]["inBytes"], 1);
    assert_eq!(first.payload["extra"], serde_json::json!({
        "list": [1, -2.5, true, null, "t"],
        "nested": { "label": "2" },
    }));
    assert_eq!(second.payload["files"]["c"], "@<NF.STEP (1).out::/files/~1a~1b.txt?none>");
    assert_eq!(second.payload["extra"][0], "@<NF.STEP (1).out::/sizes/one?=null>");
    assert_eq!(second.payload["extra"][1], "@<NF.STEP (1).out::/any/deep/er>");
    assert_eq!(second.params["dependsOn"], "NF.STEP (1)");
    assert_eq!(workflow.single_output(), Some("c"));
    assert!(workflow.place("NF.STEP (1)").unwrap().to_string().ends_with("maps_and_names.rs:34:13"));
}
