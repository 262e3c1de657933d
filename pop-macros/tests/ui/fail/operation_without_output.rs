use pop_sdk::operation;
use schemars::JsonSchema;

#[derive(JsonSchema)]
pub struct Done {}

#[operation("a.b")]
#[derive(JsonSchema)]
pub struct A {
    pub url: String,
}

#[operation(output = Done)]
#[derive(JsonSchema)]
pub struct B {
    pub url: String,
}

fn main() {}
