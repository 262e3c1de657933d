use pop_sdk::record;
use schemars::JsonSchema;
use serde::Deserialize;

#[record]
#[derive(Deserialize, JsonSchema)]
pub struct Shot {
    pub kind: String,
    #[serde(flatten)]
    pub rest: Rest,
}

#[derive(Deserialize, JsonSchema)]
#[record]
pub struct Rest {
    #[serde(rename = "type")]
    pub sort: String,
}

#[record(all)]
#[derive(Deserialize, JsonSchema)]
pub struct Pair(u32, u32);

#[record]
#[derive(Deserialize, JsonSchema)]
pub enum Mode {
    Fast,
}

fn main() {}
