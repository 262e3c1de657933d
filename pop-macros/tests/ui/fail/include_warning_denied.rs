#![deny(warnings)]

pop_sdk::include_workflow!("../flows/warned.pop.toml");

fn main() {}
