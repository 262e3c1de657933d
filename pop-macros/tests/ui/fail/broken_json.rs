#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

use pop_sdk::builtin::{Log, Transform};

workflow! {
    pub flow(source: Url) -> serde_json::Value {
        let wait = Transform { value: json!({ key: 1 }) };
        let log = Log { message: json!([1, source,, 2]), .. };
        wait
    }
}

fn main() {}
