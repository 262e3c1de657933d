// A warning of the workflow is a warning of the build.
pop_sdk::include_workflow!("../flows/warned.pop.toml");

fn main() {
    assert_eq!(warned::compile().warnings().len(), 1);
}
