pop_sdk::include_workflow!("../flows/missing.pop.toml");

fn main() {}
