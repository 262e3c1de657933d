pop_sdk::include_workflow!("../flows/broken.pop.toml");

fn main() {}
