//! Findings as other programs read them, from outside.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

/// `popc check` in the folder of the faults.
fn check(args: &[&str]) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_popc"))
        .arg("check")
        .args(args)
        .current_dir(root().join("faults"))
        .output()
        .unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    (out.status.code(), String::from_utf8(out.stdout).unwrap())
}

#[track_caller]
fn snapshot(name: &str, text: &str) {
    insta::with_settings!(
        { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!(name, text); }
    );
}

#[test]
fn sarif_is_what_the_official_schema_asks_for() {
    let schema = std::fs::read_to_string(root().join("schemas/sarif-2.1.0.json")).unwrap();
    // the published schema has a bracket too many in the pattern of a language
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let (code, text) = check(&[".", "--format", "sarif"]);
    assert_eq!(code, Some(1));
    let log: Value = serde_json::from_str(&text).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(log["runs"][0]["results"].as_array().unwrap().len() > 90);
}

#[test]
fn sarif_results_look_like_this() {
    let (_, text) = check(&["several.pop.toml", "--format", "sarif"]);
    let mut log: Value = serde_json::from_str(&text).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].clone();
    let results = log["runs"][0]["results"].as_array_mut().unwrap();
    for result in &mut *results {
        let object = result.as_object_mut().unwrap();
        let index = object.shift_remove("ruleIndex").and_then(|i| i.as_u64()).unwrap();
        assert_eq!(rules[usize::try_from(index).unwrap()]["id"], object["ruleId"]);
    }
    snapshot("findings.sarif", &format!("{:#}", Value::from(std::mem::take(results))));
}

/// A code scanning service knows a finding again by it, so lines above may come and go, and no two may have the same.
#[test]
fn sarif_fingerprints_are_stable_and_each_is_there_once() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fingerprints");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("flow.pop.toml");
    let prints = |text: &str| -> Vec<String> {
        std::fs::write(&file, text).unwrap();
        let (_, text) = check(&[file.to_str().unwrap(), "--format", "sarif"]);
        let log: Value = serde_json::from_str(&text).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|r| r["partialFingerprints"].to_string()).collect()
    };
    let text = "[workflow]\nname = \"x\"\n[operations.a]\nuses = \"pop.slep\"\n[operations.b]\nuses = \"pop.slep\"\n";
    let before = prints(text);
    assert_eq!(before, prints(&format!("# new\n\n{}", text.replace(" = ", "   = "))));
    assert!(before.len() == 2 && before[0] != before[1], "{before:?}");
}

#[test]
fn a_clean_sarif_log_has_no_results_and_all_rules() {
    let (code, text) = check(&["../workflows", "--format", "sarif"]);
    assert_eq!(code, Some(0));
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert!(log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len() > 30);
}

#[test]
fn annotations_look_like_this() {
    let (code, text) = check(&["several.pop.toml", "unused-input.pop.toml", "--format", "github"]);
    assert_eq!(code, Some(1));
    snapshot("findings.github", &text);
}

#[test]
fn warnings_fail_when_they_are_denied() {
    let file = "unused-input.pop.toml";
    assert_eq!(check(&[file, "--format", "github"]).0, Some(0));
    assert_eq!(check(&[file, "--format", "github", "--deny", "warnings"]).0, Some(1));
    assert_eq!(check(&["../workflows", "--format", "github", "--deny", "warnings"]).0, Some(0));
}
