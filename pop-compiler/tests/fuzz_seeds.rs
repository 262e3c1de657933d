//! What the fuzz targets promise, for the seeds that are kept and for every workflow and fault of the corpus.

use std::fs;
use std::path::{Path, PathBuf};

#[expect(unreachable_pub, reason = "a library of its own there")]
#[path = "../fuzz/src/lib.rs"]
mod properties;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// A file, and behind it those in the folders beside it that it may name.
fn seed(path: &Path) -> String {
    let mut text = fs::read_to_string(path).unwrap();
    for folder in ["ops", "."] {
        let beside = path.parent().unwrap().join(folder);
        for other in files(&beside) {
            let name = other.strip_prefix(path.parent().unwrap()).unwrap().to_string_lossy().into_owned();
            let name = name.trim_start_matches("./").to_owned();
            if text.contains(&format!("\"{name}\"")) || (folder == "ops" && text.contains("\"ops/")) {
                text += &format!("\n#### {name}\n{}", fs::read_to_string(&other).unwrap());
            }
        }
    }
    text
}

fn run(target: &str, property: fn(&str)) {
    let mut seen = 0;
    for path in files(&here("fuzz/seeds").join(target)) {
        println!("{}", path.display());
        property(&fs::read_to_string(&path).unwrap());
        seen += 1;
    }
    assert!(seen > 0, "{target} has no seeds");
}

fn corpus(ending: &str, property: fn(&str)) {
    for folder in ["../tests/workflows", "../tests/faults", "../tests/faults-many"] {
        for path in files(&here(folder)) {
            if path.to_string_lossy().ends_with(ending) {
                println!("{}", path.display());
                property(&seed(&path));
            }
        }
    }
}

#[test]
fn toml_source() {
    run("toml_source", properties::toml_source);
    corpus(".pop.toml", properties::toml_source);
}

#[test]
fn json_source() {
    run("json_source", properties::json_source);
    corpus(".pop.json", properties::json_source);
}

#[test]
fn references() {
    run("references", properties::references);
    corpus(".pop.toml", properties::references);
}

#[test]
fn types() {
    run("types", properties::types);
}

#[test]
fn agenda_json() {
    run("agenda_json", properties::agenda_json);
}

#[test]
fn fmt() {
    run("fmt", properties::fmt);
    corpus(".toml", properties::fmt);
    corpus(".json", properties::fmt);
}

#[test]
fn fix() {
    run("fix", properties::fix);
    corpus(".toml", properties::fix);
    corpus(".json", properties::fix);
}
