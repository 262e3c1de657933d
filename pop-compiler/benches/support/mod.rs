//! Workflows of any size, as the benchmarks of this folder compile them.

use std::fmt::Write as _;

use pop_compiler::Door;

/// Whom operation `i` reads.
fn upstream(shape: &str, i: usize) -> Option<usize> {
    match shape {
        // each operation reads the one before it; or else all read the first
        "chain" => i.checked_sub(1),
        _ => (i > 0).then_some(0),
    }
}

/// A workflow of `n` operations as text.
pub(crate) fn workflow(shape: &str, n: usize, door: Door) -> String {
    let mut text = String::from(match door {
        Door::Toml => "[workflow]\nname = \"bench\"\n",
        Door::Json => "{\"workflow\": {\"name\": \"bench\"}, \"operations\": {",
    });
    for i in 0..n {
        let value = upstream(shape, i).map_or("source".to_owned(), |up| format!("${{step{up}.value}}-{i}"));
        let comma = if i == 0 { "" } else { "," };
        let _ = match door {
            Door::Toml => write!(
                text,
                "\n[operations.step{i}]\nuses = \"pop.transform\"\nwith = {{ value = {{ value = \"{value}\", height = {i} }} }}\ntimeout = \"2h\"\n"
            ),
            Door::Json => write!(
                text,
                "{comma}\n\"step{i}\": {{\"uses\": \"pop.transform\", \"with\": {{\"value\": {{\"value\": \"{value}\", \"height\": {i}}}}}, \"timeout\": \"2h\"}}"
            ),
        };
    }
    if door == Door::Json {
        text += "}}";
    }
    text
}

/// The name of a door in the names of benchmarks.
pub(crate) fn name(door: Door) -> &'static str {
    match door {
        Door::Toml => "toml",
        Door::Json => "json",
    }
}
