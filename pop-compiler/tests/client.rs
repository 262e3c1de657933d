//! Generated clients: as committed, the same bytes each time and in any order, and about the same whatever the format.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const FOLDER: &str = "tests/clients/flows";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn popc(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_popc")).current_dir(root()).args(args).output().unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    directory
}

/// Name and text of every file in a directory.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn generated(name: &str, language: &str, paths: &[&str]) -> Vec<(String, String)> {
    let directory = scratch(name);
    let target = directory.to_string_lossy().into_owned();
    let out = popc(&[&["client", "--lang", language, "-o", &target], paths].concat());
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    files(&directory)
}

#[test]
fn the_committed_clients_are_those_that_are_generated() {
    let ladder = "examples/media-ladder/clients";
    for (language, of_tests, of_ladder) in [
        ("rust", "rust/flows", "rust/src/flows"),
        ("typescript", "typescript/flows", "typescript/flows"),
        ("python", "python/flows", "python/flows"),
    ] {
        for (flows, folder) in [
            (FOLDER, format!("tests/clients/{of_tests}")),
            ("examples/media-ladder/media.pop.toml", format!("{ladder}/{of_ladder}")),
        ] {
            let update = option_env!("INSTA_UPDATE") == Some("always");
            let check: &[&str] = if update { &[] } else { &["--check"] };
            let out = popc(&[&["client", flows, "--lang", language, "-o", &folder], check].concat());
            assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
            let expected = generated(&format!("client-{language}"), language, &[flows]);
            assert_eq!(files(&root().join(&folder)).len(), expected.len(), "a file is left over in {folder}");
        }
    }
}

#[test]
fn the_order_of_the_paths_does_not_matter() {
    let [greet, gate, ladder] = ["greet", "gate", "ladder"].map(|name| format!("{FOLDER}/{name}.pop.toml"));
    for language in ["rust", "typescript", "python"] {
        let first = generated("client-order", language, &[&greet, &gate, &ladder]);
        let absolute = root().join(&ladder).to_string_lossy().into_owned();
        let other = generated("client-order", language, &[&absolute, &format!("./{gate}"), &greet]);
        assert_eq!(first, other);
    }
}

#[test]
fn a_built_template_and_its_map_give_the_same_client() {
    let built = scratch("client-built");
    let target = built.to_string_lossy().into_owned();
    let out = popc(&["build", FOLDER, "-o", &target, "--source-map"]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    for (file, name) in [("gate.template.json", "gate.rs"), ("media-ladder.template.json", "media_ladder.rs")]
    {
        let from_built = generated("client-of-built", "rust", &[&built.join(file).to_string_lossy()]);
        let committed = fs::read_to_string(root().join("tests/clients/rust/flows").join(name)).unwrap();
        let text = &from_built.iter().find(|(path, _)| path == name).unwrap().1;
        assert_eq!(*text, committed, "{file}");
    }
}

#[test]
fn a_workflow_with_errors_has_no_client() {
    let target = scratch("client-none");
    let out = popc(&[
        "client",
        "tests/faults/bad-type.pop.toml",
        "--lang",
        "rust",
        "-o",
        &target.to_string_lossy(),
    ]);
    assert_eq!(out.status.code(), Some(1));
    assert!(!target.exists());
    let out = popc(&["client", FOLDER, "--lang", "rust", "-o", &target.to_string_lossy(), "--check"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("missing: "));
}

/// The corpus has every kind of type, odd names, and native agendas.
#[test]
fn the_whole_corpus_has_clients() {
    let toml: Vec<String> = fs::read_dir(root().join("tests/workflows"))
        .unwrap()
        .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
        .filter(|path| path.ends_with(".pop.toml"))
        .collect();
    let paths: Vec<&str> = toml.iter().map(String::as_str).collect();
    for language in ["rust", "typescript", "python"] {
        let files = generated(&format!("client-corpus-{language}"), language, &paths);
        assert!(files.len() >= toml.len());
    }
}
