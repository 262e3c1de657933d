use pop_sdk::operation;
use schemars::JsonSchema;

#[derive(JsonSchema)]
pub struct Done {}

#[operation("a.b", output = Done, comand = ["x"], stdout = "xml", args = "all", image = 7)]
#[derive(JsonSchema)]
pub struct A {
    pub url: String,
}

fn main() {}
