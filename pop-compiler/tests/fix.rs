//! `popc check --fix` from outside, and what it makes of the faults that the corpus holds.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

/// A directory of this test's own.
fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn fix(directory: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_popc"))
        .args(["check", "--fix"])
        .args(args)
        .current_dir(directory)
        .output()
        .unwrap()
}

const BROKEN: &str = r#"# what people write stays:   all of it
[workflow]
name = "fixes"
catalogs = ["ops.toml"]

[inputs]
source = "strin"   # a type

[operations.encode]
uses = "x.encod"
each = [1, 2]
with = { file = "${inputs.sorce}" }

[operations.done]
uses   = "pop.sleep"
afterr = ["encode"]
with   = { output = ["${encode.out}", "${encode.file}", "${encod[0].fle ?? 'x'}"] }
timeout = "soon"
"#;

#[test]
fn what_is_certain_is_fixed_and_the_rest_is_said() {
    let directory = scratch("fix");
    fs::write(directory.join("flow.pop.toml"), BROKEN).unwrap();
    let catalog = "[operations.\"x.encode\"]\ninput = { file = \"string\" }\noutput = { file = \"pth\" }\n";
    fs::write(directory.join("ops.toml"), catalog).unwrap();
    let out = fix(&directory, &["flow.pop.toml"]);
    assert_eq!(out.status.code(), Some(1), "`soon` and `out` can't be fixed");
    let written = fs::read_to_string(directory.join("flow.pop.toml")).unwrap();
    let catalog = fs::read_to_string(directory.join("ops.toml")).unwrap();
    let report = String::from_utf8(out.stderr).unwrap();
    insta::with_settings!(
        { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("fixed", format!("{written}---- ops.toml\n{catalog}---- standard error\n{report}")); }
    );
    let names: Vec<_> = fs::read_dir(&directory).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing is left behind: {names:?}");

    let again = fix(&directory, &["flow.pop.toml"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(!String::from_utf8(again.stderr).unwrap().contains("fixed"));
    assert_eq!(fs::read_to_string(directory.join("flow.pop.toml")).unwrap(), written);
}

#[test]
fn json_is_fixed_too_and_the_exit_code_is_that_of_the_result() {
    let directory = scratch("fix-json");
    let file = directory.join("flow.pop.json");
    let text = "// kept\n{ \"workflow\": { \"nmae\": \"x\" },\n  \"operations\": { \"a\": { \"use\": \"pop.slep\" } } }\n";
    fs::write(&file, text).unwrap();
    let out = fix(&directory, &[".", "--format", "json"]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    let expected = text.replace("nmae", "name").replace("\"use\"", "\"uses\"").replace("slep", "sleep");
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(document["diagnostics"], serde_json::json!([]));
}

#[test]
fn clean_files_are_not_touched() {
    let directory = scratch("fix-clean");
    let file = directory.join("hello.pop.toml");
    fs::copy(tests().join("workflows/hello.pop.toml"), &file).unwrap();
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    let out = fix(&directory, &["."]);
    assert_eq!(String::from_utf8(out.stderr).unwrap(), "1 file: no findings\n");
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
}

#[cfg(unix)]
#[test]
fn links_and_permissions_survive() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = scratch("fix-link");
    let (file, link) = (directory.join("real.toml"), directory.join("flow.pop.toml"));
    fs::write(&file, "[workflow]\nname = \"x\"\n[operations.a]\nuses = \"pop.slep\"\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.toml", &link).unwrap();
    assert_eq!(fix(&directory, &["flow.pop.toml"]).status.code(), Some(0));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&file).unwrap().contains("pop.sleep"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}

/// Every fault of the corpus is fixed in its own copy: never worse than before, and nothing left for a second run.
#[test]
fn the_faults_of_the_corpus_get_better_never_worse() {
    let directory = scratch("fix-corpus");
    let ops = directory.join("ops");
    fs::create_dir_all(&ops).unwrap();
    for entry in fs::read_dir(tests().join("faults/ops")).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), ops.join(entry.file_name())).unwrap();
    }
    let (mut single, mut clean) = (0, Vec::new());
    for entry in fs::read_dir(tests().join("faults")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".pop.toml") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let expected = text.lines().filter(|l| l.starts_with("# expect: ")).count();
        let file = directory.join(&name);
        fs::write(&file, &text).unwrap();
        let first = fix(&directory, &[&name, "--format", "json"]);
        let document: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
        let left = document["diagnostics"].as_array().unwrap().len();
        assert!(left <= expected, "{name}: {left} findings after fixing, {expected} before");
        let after = fs::read_to_string(&file).unwrap();
        let again = fix(&directory, &[&name, "--format", "json"]);
        assert!(again.stderr.is_empty(), "{name}: {}", String::from_utf8_lossy(&again.stderr));
        assert_eq!(fs::read_to_string(&file).unwrap(), after, "{name}");
        single += usize::from(expected == 1);
        if expected == 1 && left == 0 {
            clean.push(name);
        }
    }
    clean.sort();
    eprintln!("{} of {single} single faults are fixed: {clean:#?}", clean.len());
    assert!(clean.len() * 100 >= single * 15, "{} of {single}", clean.len());
}
