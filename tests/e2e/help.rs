//! The command line's help as a snapshot: each change shows as a diff.

use crate::support::{pop, root, stdout};

#[tokio::test]
async fn the_help_of_every_command() {
    let commands: &[&[&str]] = &[
        &[],
        &["run"],
        &["dev"],
        &["server"],
        &["pool"],
        &["submit"],
        &["get"],
        &["list"],
        &["cancel"],
        &["rerun"],
        &["save"],
        &["logs"],
        &["check"],
        &["build"],
        &["graph"],
        &["import", "wfcommons"],
        &["explain"],
        &["fmt"],
        &["schema"],
        &["diff"],
        &["client"],
    ];
    let mut text = String::new();
    for command in commands {
        let arguments: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        text += &format!("$ pop {}\n{}\n", arguments.join(" "), stdout(&pop(&arguments).await));
    }
    insta::with_settings!({snapshot_path => root().join("tests/snapshots"), prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("help", text);
    });
}
