//! `popc check --fix` from outside, and what it makes of the faults that the corpus holds.
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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
fn a_fix_that_lets_a_broken_file_be_read_is_made() {
    let directory = scratch("fix-uncovers");
    let file = directory.join("flow.pop.toml");
    let text = "[workflow]\nname = \"x\"\ncatclogs = [\"ops.toml\"]\n[operations.a]\nuses = \"pop.sleep\"\n";
    fs::write(&file, text).unwrap();
    fs::write(directory.join("ops.toml"), "]] no [[ catalog = =\n").unwrap();
    let out = fix(&directory, &["flow.pop.toml"]);
    assert_eq!(out.status.code(), Some(1), "the catalog is broken");
    assert_eq!(fs::read_to_string(&file).unwrap(), text.replace("catclogs", "catalogs"));
    assert!(String::from_utf8(out.stderr).unwrap().contains("error[syntax]"));
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
        if !name.ends_with(".pop.toml") && !name.ends_with(".pop.json") {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let expected =
            text.lines().filter(|l| l.trim_start_matches(['#', '/']).starts_with(" expect: ")).count();
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
        if expected == 1 && left == 0 && after != text {
            clean.push(name);
        }
    }
    eprintln!("{} of {single} single faults are fixed", clean.len());
    assert!(clean.len() * 100 >= single * 60, "{} of {single}", clean.len());
}

/// The findings of a shared `pop.toml` and a shared catalog are those of one file, however many workflows there are.
#[test]
fn what_several_files_share_is_said_and_fixed_once() {
    let directory = scratch("fix-shared");
    fs::write(directory.join("pop.toml"), "[lints]\nunused-inpt = \"deny\"\nnope = \"warn\"\n").unwrap();
    fs::write(directory.join("ops.toml"), "[operations.\"x.y\"]\ncommand = [\"x\"]\ntimeout = \"5 min\"\n")
        .unwrap();
    let flow = "[workflow]\nname = \"x\"\ncatalogs = [\"ops.toml\"]\n[operations.a]\nuses = \"x.y\"\n";
    for name in ["a", "b", "c"] {
        fs::write(directory.join(format!("{name}.pop.toml")), flow).unwrap();
    }
    let found = |args: &[&str]| -> Vec<String> {
        let out =
            Command::new(env!("CARGO_BIN_EXE_popc")).args(args).current_dir(&directory).output().unwrap();
        let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let all = document["diagnostics"].as_array().unwrap();
        all.iter().map(|d| d["rule"].as_str().unwrap().to_owned()).collect()
    };
    let mut before = found(&["check", ".", "--format", "json"]);
    before.sort();
    assert_eq!(before, ["bad-duration", "unknown-rule", "unknown-rule"]);
    assert_eq!(found(&["check", "--fix", ".", "--format", "json"]), ["unknown-rule"]);
    assert!(fs::read_to_string(directory.join("ops.toml")).unwrap().contains("timeout = \"5m\""));
    assert!(fs::read_to_string(directory.join("pop.toml")).unwrap().contains("unused-input = \"deny\""));
}

const MISSPELT: &str = "[workflow]\nname = \"x\"\n[operations.a]\nuses = \"pop.slep\"\n";

fn piped(directory: &Path, args: &[&str], text: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_popc"))
        .arg("check")
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // one that refuses to run reads nothing
    let _ = child.stdin.take().unwrap().write_all(text);
    child.wait_with_output().unwrap()
}

#[test]
fn standard_input_is_checked_and_fixed_onto_standard_output() {
    let directory = scratch("fix-stdin");
    let out = piped(&directory, &["-"], MISSPELT.as_bytes());
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8(out.stderr).unwrap().contains(" --> <stdin>:4:8\n"));
    let mended = MISSPELT.replace("slep", "sleep");
    let out = piped(&directory, &["--fix", "-"], MISSPELT.as_bytes());
    assert_eq!((out.status.code(), String::from_utf8(out.stdout).unwrap()), (Some(0), mended));
    // how it begins says what it is; what is fine comes out as it went in
    let json = "// j\n{\"workflow\": {\"name\": \"x\"}, \"operations\": {\"a\": {\"uses\": \"pop.sleep\"}}}";
    let out = piped(&directory, &["--fix", "-"], json.as_bytes());
    assert_eq!((out.status.code(), String::from_utf8(out.stdout).unwrap().as_str()), (Some(0), json));
    let out = piped(&directory, &["--fix", "-", "--format", "json"], MISSPELT.as_bytes());
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0));
    assert_eq!(piped(&directory, &["-"], b"\xff").status.code(), Some(2));
    assert_eq!(piped(&directory, &["-"], b"").status.code(), Some(1));
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn what_cant_be_read_or_written_stops_nothing_else() {
    let directory = scratch("fix-unread");
    fs::create_dir(directory.join("empty")).unwrap();
    fs::write(directory.join("bad.pop.toml"), b"\xff\xfe").unwrap();
    fs::write(directory.join("a.pop.toml"), MISSPELT).unwrap();
    let out = fix(&directory, &["nope.toml", "bad.pop.toml", "empty", "a.pop.toml", "./a.pop.toml"]);
    let report = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{report}");
    for said in [
        "could not read nope.toml",
        "invalid UTF-8 in bad.pop.toml",
        "found in empty",
        "1 file: no findings, 1 fixed",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
    assert_eq!(fs::read_to_string(directory.join("a.pop.toml")).unwrap(), MISSPELT.replace("slep", "sleep"));
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 3);
}

#[cfg(unix)]
#[test]
fn files_that_are_not_to_be_written_stay_as_they_are() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = scratch("fix-outside");
    let inside = directory.join("inside");
    fs::create_dir_all(inside.join("ops")).unwrap();
    let catalog = |name: &str| format!("[operations.\"{name}\"]\ncommand = [\"x\"]\ntimeout = \"5 min\"\n");
    fs::write(directory.join("out.toml"), catalog("x.out")).unwrap();
    fs::write(inside.join("ops/in.toml"), catalog("x.in")).unwrap();
    symlink("in.toml", inside.join("ops/also.toml")).unwrap();
    let flow = "[workflow]\nname = \"x\"\ncatalogs = [\"../out.toml\", \"./ops/../ops/in.toml\", \"ops/in.toml\", \"ops/also.toml\"]\n[operations.a]\nuses = \"x.in\"\n";
    fs::write(inside.join("flow.pop.toml"), flow).unwrap();
    let locked = inside.join("locked.pop.toml");
    fs::write(&locked, MISSPELT).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o444)).unwrap();
    let out = fix(&inside, &["locked.pop.toml", "flow.pop.toml"]);
    let report = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{report}");
    assert!(
        report.contains("the file is read-only") && report.contains("--> locked.pop.toml:4:8"),
        "{report}"
    );
    assert_eq!(fs::read_to_string(&locked).unwrap(), MISSPELT);
    assert_eq!(fs::read_to_string(directory.join("out.toml")).unwrap(), catalog("x.out"));
    assert_eq!(
        fs::read_to_string(inside.join("ops/in.toml")).unwrap(),
        catalog("x.in").replace("5 min", "5m"),
        "a file with several names is changed once"
    );
}
