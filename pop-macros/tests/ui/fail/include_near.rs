pop_sdk::include_workflow!("../flows/lader.pop.toml");

fn main() {}
