pop_sdk::include_workflow!("../flows/ops/media.toml");
pop_sdk::include_workflow!();
pop_sdk::include_workflow!("../flows/warned.pop.toml" in flow);

fn main() {}
