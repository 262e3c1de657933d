//! The JSON Schema of the language: checked in, and true of every file of the corpus.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use pop_compiler::source::Source;
use pop_compiler::{Format, data};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn printed(of: &str) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_popc")).args(["schema", of]).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    String::from_utf8(out.stdout).unwrap()
}

fn validator(of: &str) -> Validator {
    let schema = serde_json::from_str(&printed(of)).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::validator_for(&schema).unwrap()
}

fn faults(validator: &Validator, path: &Path) -> Vec<String> {
    let name = path.to_string_lossy().into_owned();
    let format = Format::from_path(&name).unwrap();
    let (json, _, _) = data(Source::new(name, fs::read_to_string(path).unwrap()), format);
    validator.iter_errors(&json).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(here(folder)).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn the_checked_in_schemas_are_those_that_are_printed() {
    for of in ["workflow", "catalog"] {
        let path =
            here("schema").join(if of == "workflow" { "pop.schema.json" } else { "pop-catalog.schema.json" });
        let is = fs::read_to_string(&path).unwrap_or_default();
        assert!(is == printed(of), "run `popc schema {of} > {}`", path.display());
    }
}

#[test]
fn every_workflow_and_every_catalog_is_valid() {
    let (workflow, catalog) = (validator("workflow"), validator("catalog"));
    for path in files("../tests/workflows") {
        assert_eq!(faults(&workflow, &path), Vec::<String>::new(), "{}", path.display());
    }
    for folder in ["../tests/workflows/ops", "../tests/faults/ops"] {
        for path in files(folder) {
            // Sub-workflows and JSON Schemas lie there too.
            let name = path.to_string_lossy().into_owned();
            let of = if Format::is_workflow_path(&name) { &workflow } else { &catalog };
            if !name.ends_with(".schema.json") {
                assert_eq!(faults(of, &path), Vec::<String>::new(), "{name}");
            }
        }
    }
}

#[test]
fn unknown_keys_and_wrong_shapes_are_not() {
    let workflow = validator("workflow");
    let mut seen = 0;
    for path in files("../tests/faults") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("unknown-key")
            || name.starts_with("wrong-shape")
            || name.starts_with("missing-key")
        {
            seen += 1;
            assert!(!faults(&workflow, &path).is_empty(), "{name} is valid");
        }
    }
    assert!(seen >= 15, "{seen}");
}
