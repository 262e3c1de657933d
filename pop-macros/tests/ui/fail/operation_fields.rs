use pop_sdk::operation;
use schemars::JsonSchema;

#[derive(JsonSchema)]
pub struct Done {}

#[operation("a.b", output = Done)]
#[derive(JsonSchema)]
pub struct Tuple(String);

#[operation("a.c", output = Done)]
#[derive(JsonSchema)]
pub enum Enum {
    One,
}

#[derive(JsonSchema)]
pub struct More {
    pub a: u32,
}

#[operation("a.d", output = Done)]
#[derive(serde::Serialize, JsonSchema)]
#[serde(rename_all = "SpongeCase")]
pub struct Flat {
    #[serde(flatten)]
    pub more: More,
}

fn main() {}
