//! The examples do what they say.

use std::process::Command;

use serde_json::Value;

use crate::support::{code, pop, root, stderr, stdout};

/// What `sort | uniq -c` makes of a text.
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
async fn the_doors_give_the_same_bytes() {
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
