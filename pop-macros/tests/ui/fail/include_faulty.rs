pop_sdk::include_workflow!("../flows/faulty.pop.toml");

fn main() {}
