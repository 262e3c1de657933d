#![deny(warnings)]

use pop_sdk::{operation, workflow};
use schemars::JsonSchema;
use serde::Deserialize;

#[operation("app.number", output = Numbered)]
#[derive(JsonSchema)]
pub struct Number {
    pub name: String,
    pub position: u32,
    pub of: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Numbered {
    pub path: String,
}

workflow! {
    pub flow(names: Vec<String>) -> Vec<String> {
        let number = for (i, name) in names.iter().enumerate() {
            Number { name: "{i}-{name}", position: i, of: run.id }
        };
        let again = for (position, name) in names.enumerate() {
            Number { name, position, of: "{run.customer.unwrap_or(\"nobody\")}" }
        } after [number];
        again[*].path
    }
}

workflow! {
    // An operation may have the name; the run can't be spoken of then.
    pub hidden(run: Vec<String>) -> Vec<String> {
        let one = for name in run {
            Number { name, position: 1, of: "x" }
        };
        one[*].path
    }
}

fn main() {
    let agenda = flow::compile().agenda(&flow::Inputs { names: vec!["a".into(), "b".into()] }).unwrap();
    assert_eq!(agenda.operations[1].payload["name"], "1-b");
    assert_eq!(agenda.operations[1].payload["position"], 1);
    assert_eq!(agenda.operations[0].payload["of"], "@<pop.agendaId>");
    assert_eq!(agenda.operations[2].payload["of"], "@<pop.customerId::/?nobody>");
    hidden::compile();
}
