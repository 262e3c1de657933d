//! The program `popc` from outside: exit codes, and what goes to which stream.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn popc(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_popc")).args(args).output().unwrap()
}

fn tests(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(path).to_string_lossy().into_owned()
}

/// A directory of this test's own.
fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn clean_files_give_zero() {
    let out = popc(&["check", &tests("workflows")]);
    assert_eq!(out.status.code(), Some(0));
    let files = ["workflows", "workflows/ops"].iter().flat_map(|folder| fs::read_dir(tests(folder)).unwrap());
    let files =
        files.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".pop.")).count();
    let said = text(&out.stderr);
    assert!(said.starts_with(&format!("{files} files: no findings; ")), "{said}");
    assert!(said.ends_with(" references typed\n"), "{said}");
}

#[test]
fn findings_give_one_and_json_is_a_document() {
    let out = popc(&["check", "--format", "json", &tests("faults/bad-duration.pop.toml")]);
    assert_eq!(out.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["diagnostics"][0]["rule"], "bad-duration");
    assert_eq!(document["summary"]["errors"], 1);
}

#[test]
fn a_warning_alone_gives_zero() {
    assert_eq!(popc(&["check", &tests("faults/unused-input.pop.toml")]).status.code(), Some(0));
}

#[test]
fn usage_and_missing_files_give_two() {
    assert_eq!(popc(&["chekc"]).status.code(), Some(2));
    let out = popc(&["check", "nowhere.pop.toml"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).starts_with("error: could not read nowhere.pop.toml"), "{}", text(&out.stderr));
    let empty = scratch("empty");
    assert_eq!(popc(&["check", &empty.to_string_lossy()]).status.code(), Some(2));
}

#[test]
fn build_writes_agendas_and_templates() {
    let target = scratch("build");
    let out = popc(&[
        "build",
        &tests("workflows/hello.pop.toml"),
        &tests("workflows/conditional.pop.json"),
        "-o",
        &target.to_string_lossy(),
    ]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let agenda = target.join("hello.agenda.json");
    assert!(agenda.exists() && target.join("conditional.template.json").exists());
    let out = popc(&[
        "check",
        &agenda.to_string_lossy(),
        &target.join("conditional.template.json").to_string_lossy(),
    ]);
    assert_eq!(text(&out.stderr), "2 files: no findings\n");
}

#[test]
fn two_workflows_of_one_name_are_not_written_over_each_other() {
    let target = scratch("same-name");
    let hello = tests("workflows/hello.pop.toml");
    let out = popc(&["build", &hello, &tests("workflows/hello.pop.json"), "-o", &target.to_string_lossy()]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("would both write"));
}

#[test]
fn graphs_follow_fan_outs() {
    let out = popc(&["graph", &tests("workflows/abr-ladder.pop.toml"), "--format", "mermaid"]);
    assert_eq!(out.status.code(), Some(0));
    insta::with_settings!(
        { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("abr-ladder-graph", text(&out.stdout)); }
    );
}

#[test]
fn graphs_are_pictures_too() {
    let out = popc(&["graph", &tests("workflows/abr-ladder.pop.toml"), "--format", "svg"]);
    assert_eq!(out.status.code(), Some(0));
    insta::with_settings!(
        { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("abr-ladder-svg", text(&out.stdout)); }
    );
}

#[test]
fn explain_knows_its_rules_and_suggests() {
    let out = popc(&["explain", "cycle"]);
    assert!(text(&out.stdout).contains("wait for each other"));
    let out = popc(&["explain", "cylce"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("did you mean `cycle`?"));
}

#[test]
fn findings_look_like_this() {
    let out = Command::new(env!("CARGO_BIN_EXE_popc"))
        .args(["check", "several.pop.toml"])
        .current_dir(tests("faults"))
        .output()
        .unwrap();
    insta::with_settings!(
        { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("findings", text(&out.stderr)); }
    );
}

#[test]
fn build_check_lists_what_differs() {
    let target = scratch("build-check");
    let directory = target.to_string_lossy().into_owned();
    let args = ["build", &tests("workflows/hello.pop.toml"), &tests("workflows/conditional.pop.toml"), "-o"];
    let run = |more: &[&str]| popc(&[&args, [directory.as_str()].as_slice(), more].concat());
    let out = run(&["--check", "--source-map"]);
    assert_eq!(out.status.code(), Some(1));
    assert_eq!(text(&out.stderr).matches("missing: ").count(), 4);
    assert!(fs::read_dir(&target).unwrap().next().is_none(), "--check writes nothing");
    assert_eq!(run(&["--source-map"]).status.code(), Some(0));
    let out = run(&["--check", "--source-map"]);
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), String::new()));
    let file = target.join("hello.agenda.json");
    fs::write(&file, fs::read_to_string(&file).unwrap() + "\n").unwrap();
    let out = run(&["--check"]);
    assert_eq!(out.status.code(), Some(1));
    let expected =
        format!("differs: {}\nrun the same command without --check to write the files\n", file.display());
    assert_eq!(text(&out.stderr), expected);
    assert_eq!(popc(&["build", &tests("workflows/hello.pop.toml"), "--check"]).status.code(), Some(2));
}

#[test]
fn source_maps_look_like_this() {
    let target = scratch("source-map");
    let out = Command::new(env!("CARGO_BIN_EXE_popc"))
        .args(["build", "abr-ladder.pop.toml", "--source-map", "-o"])
        .arg(&target)
        .current_dir(tests("workflows"))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let map = fs::read_to_string(target.join("abr-ladder.map.json")).unwrap();
    insta::with_settings!(
        { snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false, omit_expression => true },
        { insta::assert_snapshot!("abr-ladder.map", map); }
    );
}

#[test]
fn build_fills_in_inputs() {
    let target = scratch("build-input");
    let (json, toml, bad) = (target.join("in.json"), target.join("in.toml"), target.join("bad.json"));
    fs::write(&json, "{ \"source\": \"https://example.org/a.mov\" }").unwrap();
    fs::write(&toml, "source = \"https://example.org/a.mov\"\n").unwrap();
    fs::write(&bad, "{\n  \"source\": 5,\n  \"ladder\": [{ \"height\": \"tall\", \"bitrate\": 1 }]\n}\n")
        .unwrap();
    let build =
        |file: &str, input: &Path| popc(&["build", &tests(file), "--input", &input.to_string_lossy()]);
    let out = build("workflows/abr-ladder.pop.toml", &json);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let agenda: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let names: Vec<_> = agenda["operations"].as_array().unwrap().iter().map(|o| &o["name"]).collect();
    assert!(names.iter().any(|n| *n == "encode.0"), "{names:?}");
    assert!(!text(&out.stdout).contains("pop.payload"));
    assert_eq!(build("workflows/abr-ladder.pop.toml", &toml).stdout, out.stdout);

    let out = build("workflows/abr-ladder.pop.toml", &bad);
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(1), String::new()));
    let said = text(&out.stderr);
    assert!(said.contains("bad.json:2:13") && said.contains("bad.json:3:26"), "{said}");
    let out = build("workflows/hello.pop.toml", &json);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("declares no inputs: remove --input"));
    assert_eq!(build("workflows", &json).status.code(), Some(2));
}

#[test]
fn submitted_inputs_are_held_to_their_types_at_line_and_column() {
    let directory = scratch("formats");
    let at = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let inputs = "at = \"datetime\"\nfrom = \"url?\"\nwait = \"duration\"\nsize = \"bytes\"\nn = \"int\"\nkey = \"secret<url>\"\n";
    let names = ["at", "from", "wait", "size", "n"].map(|name| format!("\"${{inputs.{name}}}\""));
    fs::write(
        at("flow.pop.toml"),
        format!(
            "[workflow]\nname = \"flow\"\n[inputs]\n{inputs}[catalog.k]\ninput = {{ key = \"secret<url>\" }}\ncommand = [\"true\"]\n\
             [operations.k]\nuses = \"k\"\nwith = {{ key = \"${{inputs.key}}\" }}\n\
             [operations.a]\nuses = \"pop.transform\"\nwith = {{ value = [{}] }}\n",
            names.join(", ")
        ),
    )
    .unwrap();
    let wrong = "{\n  \"at\": \"2024-13-45\",\n  \"from\": \"not a url\",\n  \"wait\": \"soon\",\n  \"size\": \"huge\",\n  \"n\": 1.0,\n  \"key\": \"hunter 2\"\n}\n";
    fs::write(at("wrong.json"), wrong).unwrap();
    let out = popc(&["build", &at("flow.pop.toml"), "--input", &at("wrong.json")]);
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(1), String::new()));
    let said = text(&out.stderr);
    for (place, message) in [
        ("wrong.json:2:9", "expected a date and time such as `\"2026-01-31T12:00:00Z\"`, got \"2024-13-45\""),
        ("wrong.json:3:11", "expected a URL such as `\"https://example.com\"` or null, got \"not a url\""),
        ("wrong.json:4:11", "expected a duration such as `\"90s\"` or `\"1h30m\"`, got \"soon\""),
        ("wrong.json:5:11", "expected a number of bytes such as `4096` or `\"8Gi\"`, got \"huge\""),
        ("wrong.json:6:8", "expected an integer, got 1.0"),
        ("wrong.json:6:8", "write it without a fraction: `1`"),
        ("wrong.json:7:10", "expected a URL such as `\"https://example.com\"`, got another secret value"),
    ] {
        assert!(said.contains(place) && said.contains(message), "{place} {message}\n{said}");
    }
    assert_eq!(said.matches("error[type-mismatch]").count(), 6, "{said}");
    assert!(said.matches("hunter").count() <= 1, "only the line of the file itself");
}

#[cfg(target_os = "linux")]
#[test]
fn what_can_not_be_written_gives_two_at_every_command() {
    let flow = tests("workflows/hello.pop.toml");
    let recording = scratch("full").join("recording.json");
    let tasks = r#"[{"name": "a", "id": "a", "parents": [], "children": []}]"#;
    let workflow = format!(
        r#"{{"name": "w", "schemaVersion": "1.5", "workflow": {{"specification": {{"tasks": {tasks}}}, "execution": {{"makespanInSeconds": 1, "executedAt": "2026-01-01T00:00:00Z", "tasks": [{{"id": "a", "runtimeInSeconds": 1}}]}}}}}}"#
    );
    fs::write(&recording, workflow).unwrap();
    let recording = recording.to_string_lossy();
    let commands = [
        vec!["build", &flow],
        vec!["check", "--format", "json", &flow],
        vec!["check", "--format", "sarif", &flow],
        vec!["graph", &flow],
        vec!["graph", "--format", "svg", &flow],
        vec!["diff", &flow, &flow],
        vec!["explain", "cycle"],
        vec!["explain"],
        vec!["schema"],
        vec!["import", "wfcommons", &recording],
    ];
    for args in commands {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let out = Command::new(env!("CARGO_BIN_EXE_popc")).args(&args).stdout(full).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        let said = text(&out.stderr);
        assert!(
            said.ends_with(
                "error: could not write to standard output: No space left on device (os error 28)\n"
            ),
            "{args:?}: {said}"
        );
        // a reader that has gone away is no fault
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let out = Command::new(env!("CARGO_BIN_EXE_popc")).args(&args).stdout(writer).output().unwrap();
        assert!(!text(&out.stderr).contains("error:"), "{args:?}: {}", text(&out.stderr));
        assert_eq!(out.status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn what_is_not_typed_is_counted_aloud() {
    let directory = scratch("any");
    let path = directory.join("any.pop.toml").to_string_lossy().into_owned();
    let flow = |output: &str| {
        format!(
            "[workflow]\nname = \"any\"\n[catalog.old]\n{output}command = [\"echo\", \"{{}}\"]\nstdout = \"json\"\n\
             [catalog.need]\ninput = {{ n = \"int\" }}\ncommand = [\"true\"]\n[operations.old]\nuses = \"old\"\n\
             [operations.need]\nuses = \"need\"\nwith = {{ n = \"${{old.n}}\" }}\n"
        )
    };
    for (output, said, typed) in [
        ("", "1 file: no findings; 0 of 1 references typed\n", 0),
        ("output = { n = \"int\" }\n", "1 file: no findings\n", 1),
    ] {
        fs::write(&path, flow(output)).unwrap();
        let out = popc(&["check", &path]);
        assert_eq!((out.status.code(), text(&out.stderr).as_str()), (Some(0), said));
        let out = popc(&["check", "--format", "json", &path]);
        let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(document["summary"]["references"], serde_json::json!({ "all": 1, "typed": typed }));
    }
}

/// `check` takes a catalog for what it is; what makes something of workflows does not.
#[test]
fn a_catalog_can_be_checked_but_not_built() {
    let directory = scratch("catalog-alone");
    let path = directory.join("ops.toml");
    let file = path.to_str().unwrap();
    fs::write(&path, "[operations.\"x.a\"]\ncommand = [\"x\"]\n").unwrap();
    let check = popc(&["check", file]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stderr));
    assert!(
        String::from_utf8(check.stderr)
            .unwrap()
            .starts_with("info[wrong-shape]: the file is checked as a catalog of operation types")
    );
    assert_eq!(popc(&["check", "--deny", "warnings", file]).status.code(), Some(0));
    let out = directory.join("out");
    for args in [&["build", file, "-o", out.to_str().unwrap()][..], &["graph", file]] {
        let done = popc(args);
        assert_eq!(done.status.code(), Some(1), "{args:?}");
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(
            said.starts_with("error[wrong-shape]: expected a workflow, found a catalog"),
            "{args:?}: {said}"
        );
        assert!(!out.exists());
    }
    assert_eq!(popc(&["fmt", "--check", file]).status.code(), Some(0));
    fs::write(&path, "[operations.\"x.a\"]\ncommand = [\"x\"]\ntimeout = \"soon\"\n").unwrap();
    assert_eq!(popc(&["check", file]).status.code(), Some(1));
}
