use pop_sdk::operation;
use schemars::JsonSchema;

#[derive(JsonSchema)]
pub struct Done {}

#[operation("a.b", output = Done, command = ["curl", "${with.ulr}"], stdin = "${with.body}")]
#[derive(JsonSchema)]
pub struct A {
    pub url: String,
}

fn main() {}
