//! What must hold for every text, whoever wrote it. Each function takes one text and panics when a promise is broken; the
//! fuzz targets call them with texts that nobody thought of, `tests/fuzz_seeds.rs` with the seeds.

mod data;
mod source;

pub use data::{agenda_json, references, types};
pub use source::{fix, fmt, json_source, toml_source};

/// The line before each further text in one seed: `#### name`.
const SEPARATOR: &str = "#### ";

/// Takes a seed apart: the first text, and the others by name, each name once.
fn split(seed: &str) -> (String, Vec<(String, String)>) {
    let mut first = String::new();
    let mut others: Vec<(String, String)> = Vec::new();
    for line in seed.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix(SEPARATOR) {
            others.retain(|(other, _)| other != name.trim());
            others.push((name.trim().to_owned(), String::new()));
        } else {
            others.last_mut().map_or(&mut first, |(_, text)| text).push_str(line);
        }
    }
    (first, others)
}
