//! A small recording by value, and the recorded ones when they are there.

use proptest::prelude::*;

use super::*;
use crate::diagnostic::has_errors;
use crate::graph::Graph;
use crate::source::Source;
use crate::{Format, Options, compile};

const SMALL: &str = r#"{"name": "demo.json", "description": "d", "workflow": {
    "specification": {"tasks": [
        {"id": "a", "outputFiles": ["x.txt"], "parents": []},
        {"id": "N.b 1", "inputFiles": ["x.txt", "raw"], "outputFiles": ["y"], "parents": ["a"]},
        {"id": "c", "inputFiles": ["y"], "parents": ["a", "N.b 1"]}]},
    "execution": {"tasks": [
        {"id": "a", "runtimeInSeconds": 100.376}, {"id": "N.b 1", "runtimeInSeconds": 89.0}, {"id": "c", "runtimeInSeconds": 2}]}}}"#;

#[test]
fn a_small_recording() {
    insta::assert_snapshot!(import(SMALL).unwrap().to_toml(), @r#"
    [workflow]
    name = "demo"
    description = "d"

    [operations.a]
    uses = "pop.sleep"

    [operations.a.with]
    seconds = 100.376

    [operations.a.with.output.files]
    "x.txt" = "x.txt"

    [operations."N.b 1"]
    uses = "pop.sleep"

    [operations."N.b 1".with]
    seconds = 89.0

    [operations."N.b 1".with.inputs]
    "x.txt" = "${a.files['x.txt']}"

    [operations."N.b 1".with.output.files]
    y = "y"

    [operations.c]
    uses = "pop.sleep"
    after = ["a"]

    [operations.c.with]
    seconds = 2

    [operations.c.with.inputs]
    y = "${['N.b 1'].files.y}"

    [operations.c.with.output.files]
    "#);
}

#[test]
fn faults_name_the_task() {
    assert!(import("{}").unwrap_err().to_string().contains("WfFormat"));
    let wrong = SMALL
        .replace(r#""parents": ["a"]"#, r#""parents": ["zz"]"#)
        .replace(r#"{"id": "c", "runtimeInSeconds": 2}"#, r#"{"id": "a", "runtimeInSeconds": -1}"#)
        .replace(r#""tasks": ["#, r#""tasks": [{"id": "a", "runtimeInSeconds": 5}, "#);
    assert_eq!(
        import(&wrong).unwrap_err().faults(),
        [
            "invalid run time of task `a`: -1 seconds",
            "duplicate task `a`",
            "task `N.b 1` has a parent `zz` that is not in the document",
            "task `c` has no recorded execution",
        ]
    );
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert!(import(&format!("\u{feff}{SMALL}")).is_ok());
}

proptest! {
    /// Whatever a file is called, the workflow compiles, and the file is put out under its name.
    #[test]
    fn names_of_files_stay_what_they_are(file in "[a@<>${}'\"\\\\.?~/: ]{1,10}") {
        let execution = json!([{"id": "a", "runtimeInSeconds": 1}, {"id": "b", "runtimeInSeconds": 1}]);
        let tasks = json!([
            {"id": "a", "outputFiles": [file]},
            {"id": "b", "inputFiles": [file], "parents": ["a"]},
        ]);
        let recording = json!({"name": "w", "workflow": {"specification": {"tasks": tasks}, "execution": {"tasks": execution}}});
        let imported = import(&recording.to_string()).unwrap();
        for (text, format) in [(imported.to_toml(), Format::Toml), (imported.to_json(), Format::Json)] {
            let compiled = compile(Source::new("imported", text.as_str()), format, &Options::default());
            prop_assert!(!has_errors(&compiled.diagnostics), "{text}\n{:?}", compiled.diagnostics);
            let agenda = compiled.agenda.unwrap();
            let put_out = reference::substitute(&agenda.operations[0].payload["output"], &|_| None, reference::Mode::Final).0;
            prop_assert_eq!(&put_out, &json!({"files": {&file: file}}));
            let found = reference::substitute(&agenda.operations[1].payload["inputs"], &|_| Some(&put_out), reference::Mode::Final).0;
            prop_assert_eq!(&found, &json!({&file: file}));
        }
    }
}

proptest! {
    /// Whatever tasks, files and the recording itself are called, what is imported has no error, in either format; or
    /// it is refused by name.
    #[test]
    fn odd_names_of_tasks_pass_the_checks(
        names in prop::collection::btree_set(r#"(\$\{|@<[a-z]?>?|['"\\\[\]{}#=.:/ ~?*,-]|pop\.|each|run|inputs|é|日|😀|[\x00-\x1f]|\u{feff}|[aAbB019_]){1,6}"#, 1..4),
        title in r#"(\$\{|@<|['"\\]|\x07|\n|é|a| ){0,5}"#,
        twice in any::<bool>(),
        mark in any::<bool>(),
    ) {
        let mut names: Vec<String> = names.into_iter().collect();
        if twice {
            names.push(names[0].clone());
        }
        let tasks: Vec<Value> = names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let parents = &names[..i.min(1)];
                json!({"id": name, "name": title, "outputFiles": [name], "inputFiles": parents, "parents": parents})
            })
            .collect();
        let execution: Vec<Value> = names.iter().map(|name| json!({"id": name, "runtimeInSeconds": 1})).collect();
        let recording = json!({"name": title, "description": title, "workflow": {
            "specification": {"tasks": tasks}, "execution": {"tasks": execution}}});
        let text = format!("{}{recording}", if mark { "\u{feff}" } else { "" });
        let imported = match import(&text) {
            Ok(imported) => imported,
            Err(refused) => {
                prop_assert!(!refused.faults().is_empty());
                return Ok(());
            }
        };
        let mut agendas = Vec::new();
        for (text, format) in [(imported.to_toml(), Format::Toml), (imported.to_json(), Format::Json)] {
            let compiled = compile(Source::new("imported", text.as_str()), format, &Options::default());
            prop_assert!(!has_errors(&compiled.diagnostics), "{text}\n{:#?}", compiled.diagnostics);
            let foreign = compiled.diagnostics.iter().any(|d| d.rule == "foreign-reference");
            prop_assert!(!foreign, "{text}\n{:#?}", compiled.diagnostics);
            agendas.push(compiled.agenda.unwrap());
        }
        prop_assert_eq!(&agendas[0], &agendas[1]);
        let made: BTreeSet<&str> = agendas[0].operations.iter().map(|o| o.name.as_str()).collect();
        prop_assert_eq!(made.len(), names.len());
    }
}

/// What the compiler makes of an imported file has the recorded tasks and the recorded edges, in either format.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests find their data through the environment")]
fn recorded_workflows_keep_their_tasks_and_edges() {
    let Ok(folder) = std::env::var("POP_DATA") else {
        println!("skipped: POP_DATA is not set");
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(std::path::Path::new(&folder).join("workflows"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 12);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let recorded: Document = serde_json::from_str(&text).unwrap();
        let expected: BTreeSet<(String, String)> = recorded
            .workflow
            .specification
            .tasks
            .iter()
            .flat_map(|task| task.parents.iter().map(|parent| (parent.clone(), task.id.clone())))
            .collect();
        let imported = import(&text).unwrap();
        let [toml, json] =
            [(imported.to_toml(), Format::Toml), (imported.to_json(), Format::Json)].map(|(text, format)| {
                let compiled = compile(Source::new("imported", text), format, &Options::default());
                assert!(!has_errors(&compiled.diagnostics), "{}: {:?}", file.display(), compiled.diagnostics);
                compiled.agenda.unwrap()
            });
        let graph = Graph::new(&toml);
        let edges: BTreeSet<(String, String)> = graph
            .edges()
            .map(|(from, to, _)| (graph.name(from).to_owned(), graph.name(to).to_owned()))
            .collect();
        assert_eq!(graph.len(), recorded.workflow.specification.tasks.len(), "{}", file.display());
        assert_eq!(edges, expected, "{}", file.display());
        assert_eq!(toml, json, "{}", file.display());
    }
}
