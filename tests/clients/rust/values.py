"""The program that reads outputs with the Rust clients of random workflows: values.py CASES.

What it is built of is the modules of `chance/`, beside it.
"""

import json
import sys

names: dict[str, None] = {}
for line in open(sys.argv[1], encoding="utf-8"):
    names[json.loads(line)["module"]["rust"]] = None
print("""//! Reads outputs with the clients of random workflows, and writes them again: nothing is refused or lost that is one.

#![allow(dead_code, reason = "only outputs are read")]

use pop_sdk::client::typed::{Json, Workflow, serde};
use pop_sdk::values::{self, Fields};
""")
for name in names:
    print(f'#[path = "chance/{name}.rs"]\nmod {name};')
print("""
/// Whether these are the same; what is null and what is not there are.
fn holds(written: &Json, value: &Json) -> bool {
    match (written, value) {
        (Json::Object(a), Json::Object(b)) => {
            let at = |map: &Fields, key: &String| map.get(key).cloned().unwrap_or_default();
            a.keys().chain(b.keys()).all(|key| holds(&at(a, key), &at(b, key)))
        }
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| holds(a, b)),
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

fn read<W: Workflow>(value: &Json) -> Option<Json>
where
    W::Outputs: serde::Serialize,
{
    let outputs: W::Outputs = values::from_any(value)?;
    let mut fields = Fields::new();
    values::put::<_, serde::de::value::Error>(&mut fields, "outputs", &outputs).ok()?;
    fields.remove("outputs")
}

fn main() {
    let (mut wrong, mut all) = (0, 0);
    let cases = std::env::args().nth(1).and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    for line in cases.lines() {
        let row: Json = values::parsed(line);
        let (module, case) = (row["module"]["rust"].as_str().unwrap_or_default(), &row["case"]);
        let value = &case["value"];
        let outputs = match module {""")
for name in names:
    print(f'            "{name}" => read::<{name}::Workflow>(value),')
print("""            _ => continue,
        };
        let unsure = case["unsure"].as_array().is_some_and(|all| all.contains(&"rust".into()));
        all += usize::from(outputs.is_some());
        let other = outputs.is_some() != (case["reads"] == true) && !unsure;
        let lost = case["strict"] == true && outputs.as_ref().is_some_and(|outputs| !holds(outputs, value));
        if other || lost {
            wrong += 1;
            println!("{module}: {}: {line}", if lost { "loses something" } else if other { "reads otherwise" } else { "" });
        }
    }
    if wrong > 0 || all == 0 {
        println!("rust: {wrong} outputs are read otherwise than they should be");
        std::process::exit(1);
    }
    println!("rust: {all} random outputs read, the others refused");
}""")
