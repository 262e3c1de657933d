//! `popc diff` from outside: what it prints and its exit codes.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(path)
}

/// A directory of this test's own.
fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn popc(directory: &Path, args: &[&str]) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_popc")).args(args).current_dir(directory).output().unwrap();
    (out.status.code(), String::from_utf8(out.stdout).unwrap())
}

/// The ABR ladder as `old.pop.toml`, and with changes as `new.pop.toml`.
fn versions(name: &str, edits: &[(&str, &str)]) -> PathBuf {
    let directory = scratch(name);
    fs::create_dir_all(directory.join("ops")).unwrap();
    fs::copy(tests("workflows/ops/media.toml"), directory.join("ops/media.toml")).unwrap();
    let old = fs::read_to_string(tests("workflows/abr-ladder.pop.toml")).unwrap();
    let mut new = old.clone();
    for (from, to) in edits {
        assert!(new.contains(from), "{from}");
        new = new.replace(from, to);
    }
    fs::write(directory.join("old.pop.toml"), old).unwrap();
    fs::write(directory.join("new.pop.toml"), new).unwrap();
    directory
}

const FILES: [&str; 3] = ["diff", "old.pop.toml", "new.pop.toml"];

#[test]
fn exit_codes_say_the_verdict() {
    let run = |name, edits: &[(&str, &str)]| popc(&versions(name, edits), &FILES);
    let same = run("diff-same", &[]);
    assert_eq!(same, (Some(0), "identical: clients and results stay valid\n".into()));
    assert_eq!(run("diff-0", &[("\"2h\"", "\"3h\"")]).0, Some(0));
    assert_eq!(run("diff-10", &[("\"abr-ladder\"", "\"ladder\"")]).0, Some(10));
    assert_eq!(run("diff-11", &[("Ladder of", "The ladder of")]).0, Some(11));
    assert_eq!(run("diff-12", &[("manifest = ", "playlist = ")]).0, Some(12));
    let directory = versions("diff-errors", &[("\"2h\"", "\"soon\"")]);
    assert_eq!(popc(&directory, &FILES).0, Some(1));
    assert_eq!(popc(&directory, &["diff", "old.pop.toml", "gone.pop.toml"]).0, Some(2));
}

#[test]
fn changes_look_like_this() {
    let edits = [
        ("manifest = ", "playlist = "),
        ("Ladder of", "The ladder of"),
        ("\"2h\"", "\"3h\""),
        ("[operations.encode]", "[operations.encoded]"),
        ("encode[", "encoded["),
    ];
    let directory = versions("diff-text", &edits);
    let (code, text) = popc(&directory, &FILES);
    assert_eq!(code, Some(12));
    let (_, json) = popc(&directory, &[&FILES[..], &["--format", "json"]].concat());
    insta::with_settings!(
        { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("diff", format!("{text}----\n{json}")); }
    );
}

#[test]
fn what_was_built_is_the_same_as_its_source() {
    let directory = versions("diff-built", &[]);
    assert_eq!(popc(&directory, &["build", "old.pop.toml", "-o", "."]).0, Some(0));
    let (code, text) = popc(&directory, &["diff", "abr-ladder.template.json", "new.pop.toml"]);
    assert_eq!((code, text.as_str()), (Some(0), "identical: clients and results stay valid\n"));
}

#[test]
fn agendas_are_compared_as_agendas() {
    let directory = scratch("diff-agendas");
    let old = fs::read_to_string(tests("workflows/fan-out.pop.toml")).unwrap();
    assert!(!old.contains("[inputs]"));
    fs::write(directory.join("old.pop.toml"), &old).unwrap();
    assert_eq!(popc(&directory, &["build", "old.pop.toml", "-o", "."]).0, Some(0));
    let (code, text) = popc(&directory, &["diff", "fan-out.agenda.json", "old.pop.toml"]);
    assert_eq!((code, text.as_str()), (Some(0), "identical: clients and results stay valid\n"));
    let (start, _) = old.split_once("[outputs]").unwrap();
    fs::write(directory.join("new.pop.toml"), start).unwrap();
    let (code, text) = popc(&directory, &["diff", "fan-out.agenda.json", "new.pop.toml"]);
    assert_eq!(code, Some(12), "{text}");
    assert!(text.starts_with("breaking    outputs/"), "{text}");
}
