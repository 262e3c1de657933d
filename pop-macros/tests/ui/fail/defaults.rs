use pop_sdk::{Secret, operation, workflow};
use schemars::JsonSchema;
use serde::Serialize;

pub type Url = String;

#[operation("o", output = ())]
#[derive(Serialize, JsonSchema)]
pub struct Take {
    pub source: Url,
    pub token: Option<Secret<String>>,
    pub count: u32,
    pub signed: Option<i64>,
    pub time: std::time::Duration,
    pub flag: bool,
}

workflow! {
    pub flow(
        source: Url = "u",
        token: Option<Secret<String>> = "hunter2",
        count: u32 = 1.5,
        signed: Option<i64> = 2.5,
        time: std::time::Duration = 1.5,
        flag: bool = 1,
    ) -> () {
        let take = Take { source, token, count, signed, time, flag };
        take
    }
}

workflow! {
    pub literals(source: Url) -> () {
        let take = Take { source, token: "hunter2", count: 1.5, signed: Some(2.5), time: 1.5, flag: "yes" };
        take
    }
}

fn main() {}
