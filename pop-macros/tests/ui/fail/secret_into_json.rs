#[path = "../media.rs"]
mod media;
use media::*;
use pop_sdk::workflow;

use pop_sdk::Secret;
use pop_sdk::builtin::Transform;

workflow! {
    pub flow(token: Secret<String>) -> serde_json::Value {
        let wait = Transform { value: json!({ "token": token }) };
        wait
    }
}

fn main() {}
