//! The examples work as described.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{POP, code, pop, root, stderr, stdout};

/// The output of `sort | uniq -c` for a text.
fn expected(text: &std::path::Path) -> String {
    let script = "tr -cs 'A-Za-z' '\\n' < \"$1\" | tr 'A-Z' 'a-z' | grep . | LC_ALL=C sort | uniq -c \
                  | awk '{ print $1, $2 }' | LC_ALL=C sort -k1,1nr -k2,2";
    let output = Command::new("sh").args(["-c", script, "expected"]).arg(text).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn word_count_counts_what_uniq_counts() {
    let expected = expected(&root().join("LICENSE"));
    for file in ["wordcount.pop.toml", "wordcount.pop.json"] {
        let output = pop(&["run", &format!("examples/wordcount/{file}"), "--set", "top=100000"]).await;
        assert_eq!(code(&output), Some(0), "{}", stderr(&output));
        let outputs: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(outputs["top"], expected.lines().collect::<Value>());
        assert!(stderr(&output).contains("✓ count.3"), "one line for each transition: {}", stderr(&output));
    }
}

#[tokio::test]
async fn word_count_takes_inputs() {
    let readme = root().join("README.md");
    let output =
        pop(&["run", "examples/wordcount/wordcount.pop.toml", "--set", "text=README.md", "--set", "top=3"])
            .await;
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    let outputs: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(outputs["top"], expected(&readme).lines().take(3).collect::<Value>());
}

#[tokio::test]
async fn the_formats_give_the_same_bytes() {
    let build = async |file: &str| {
        let output = pop(&["build", &format!("examples/wordcount/{file}")]).await;
        assert_eq!(code(&output), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let toml = build("wordcount.pop.toml").await;
    assert_eq!(toml, build("wordcount.pop.json").await);
    insta::with_settings!({snapshot_path => root().join("tests/snapshots"), prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("wordcount.template.json", toml);
    });
}

/// A copy of `examples/ci`.
fn ci_repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = root().join("examples/ci/.");
    let copied = Command::new("cp").arg("-r").arg(from).arg(folder.path()).status().unwrap();
    assert!(copied.success());
    folder
}

/// Runs the repository's `ci.sh`; returns its exit code and its output.
fn ci(folder: &Path, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    script(folder, "./ci.sh 2>&1", variables)
}

fn script(folder: &Path, text: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new("bash")
        .args(["-c", text])
        .current_dir(folder)
        .env("POPC", POP)
        .env_remove("GITHUB_ACTIONS")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (code(&output), stdout(&output))
}

fn replace(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has `{from}`");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

fn build(folder: &Path) {
    let [flows, agendas] = ["flows", "agendas"].map(|name| folder.join(name));
    let built = Command::new(POP).arg("build").arg(flows).arg("-o").arg(agendas).output().unwrap();
    assert!(built.status.success(), "{}", stderr(&built));
    let generate = ["client", "flows", "--lang", "python", "-o", "clients/python"];
    let generated = Command::new(POP).args(generate).current_dir(folder).output().unwrap();
    assert!(generated.status.success(), "{}", stderr(&generated));
}

#[test]
fn a_repositorys_ci_lets_good_changes_pass() {
    let folder = ci_repository();
    let (code, said) = ci(folder.path(), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("=> results must be recomputed"), "{said}");
    assert!(said.contains("(flows/inventory.pop.toml:"), "it says where: {said}");
    assert_eq!(script(folder.path(), "./ci.sh release 2>&1", &[]).0, Some(0));
    let (code, said) = ci(folder.path(), &[]);
    assert_eq!((code, said.contains("=> compatible")), (Some(0), true), "{said}");
}

#[test]
fn a_repositorys_ci_stops_what_is_wrong_stale_or_breaking() {
    let folder = ci_repository();
    let flow = "flows/count.pop.toml";
    replace(folder.path(), flow, "${list.lines}", "${list.liness}");
    let (code, said) = ci(folder.path(), &[("GITHUB_ACTIONS", "true")]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("::error file=flows/count.pop.toml,line=18,"), "{said}");
    replace(folder.path(), flow, "${list.liness}", "${list.lines}");

    replace(folder.path(), flow, "\n[outputs]", "timeout = \"1m\"\n\n[outputs]");
    let (code, said) = ci(folder.path(), &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("agendas/count.template.json") && said.contains("run: "), "{said}");
    build(folder.path());
    assert_eq!(ci(folder.path(), &[]).0, Some(0));

    replace(folder.path(), flow, "count = \"${count.text}\"", "total = \"${count.text}\"");
    build(folder.path());
    let (code, said) = ci(folder.path(), &[]);
    assert_eq!(code, Some(12), "{said}");
    assert!(said.contains("=> breaking"), "{said}");
    assert_eq!(ci(folder.path(), &[("ALLOW_BREAKING", "1")]).0, Some(0));

    std::fs::remove_file(folder.path().join(flow)).unwrap();
    std::fs::remove_file(folder.path().join("agendas/count.template.json")).unwrap();
    let (code, said) = ci(folder.path(), &[]);
    assert_eq!(code, Some(12), "{said}");
    assert!(said.contains("count.template.json was released"), "{said}");
}
