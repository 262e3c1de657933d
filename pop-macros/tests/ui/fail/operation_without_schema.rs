use pop_sdk::operation;
use schemars::JsonSchema;

#[derive(JsonSchema)]
pub struct Done {}

#[operation("a.b", output = Done)]
pub struct A {
    pub url: String,
}

pub struct Plain {}

#[operation("a.c", output = Plain)]
#[derive(JsonSchema)]
pub struct B {
    pub url: String,
}

fn main() {}
