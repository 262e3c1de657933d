//! One checker: the server and the command line report the same findings for the same document.

use pop_compiler::diagnostic::{Diagnostic, Location};
use pop_compiler::render::json;
use pop_compiler::source::Source;
use pop_compiler::{Format, data as read_data, place_in_data};
use pop_sdk::api::SubmitRequest;
use pop_sdk::client::Error;
use serde_json::{Map, Value, json};

use crate::support::{Service, code, pop, stderr, stdout};

fn agenda(operations: Value) -> Value {
    json!({ "title": "faulty", "operations": operations })
}

/// Agendas and templates with faults of every kind that needs no workflow's text.
fn documents() -> Vec<(&'static str, Value)> {
    let sleep = |name: &str, payload: Value| json!({ "name": name, "type": "pop.sleep", "payload": payload });
    let with = |params: Value| {
        let other = json!({ "name": "b", "type": "x.y" });
        agenda(json!([{ "name": "a", "type": "pop.sleep", "params": params }, other]))
    };
    let many: Value = (0..1200)
        .map(|i| json!({ "name": format!("op{i}"), "type": "t", "payload": "@<nope.out>" }))
        .collect();
    vec![
        ("empty-workflow", agenda(json!([]))),
        ("unknown-output", agenda(json!([sleep("probe", json!({ "x": ["@<prbe.out::/a>", "@<probe>"] }))]))),
        ("duplicate-name", agenda(json!([sleep("a", json!(1)), sleep("A", json!(2)), sleep("a", json!(3))]))),
        ("missing-key", agenda(json!([{ "payload": 1 }, { "name": "größe" }]))),
        ("self-reference", agenda(json!([sleep("a", json!("@<a.out>"))]))),
        (
            "cycle",
            agenda(json!([sleep("a", json!("@<b.out>")), sleep("b", json!({ "deep": ["@<a.out::/x?1>"] }))])),
        ),
        ("unknown-operation", with(json!({ "dependsOn": "b, nobody" }))),
        ("wrong-shape", with(json!({ "dependsOn": ["b", 5], "pop.retry": { "attempts": 0 } }))),
        (
            "bad-duration",
            with(json!({ "pop.timeout": "soon", "pop.retry": { "attempts": 2, "backoff": "x" } })),
        ),
        ("bad-quantity", with(json!({ "pop.resources": { "cpu": "many", "memory": "8GB" } }))),
        ("tiny-memory", with(json!({ "pop.resources": { "memory": "512m" }, "pop.timeout": 5 }))),
        ("unknown-key", with(json!({ "pop.resources": { "gpu/s~": 1 }, "pop.retry": { "tries": 2 } }))),
        ("type-mismatch", with(json!({ "pop.when": "maybe" }))),
        ("bad-pointer", agenda(json!([sleep("a", json!("@<pop.agendaId::/x>"))]))),
        (
            "type-mismatch",
            json!({ "params": { "pop.onFailure": "panic" }, "operations": [sleep("a", json!(1))] }),
        ),
        (
            "unknown-output",
            json!({ "params": { "pop.result": { "r": "@<z.out>" } }, "operations": [sleep("a", json!(1))] }),
        ),
        ("more-findings", agenda(many)),
        ("unknown-output", json!({ "title": "t", "agenda": agenda(json!([sleep("a", json!("@<b.out>"))])) })),
        (
            "bad-duration",
            json!({ "agenda": with(json!({ "pop.timeout": "1 fortnight", "pop.each": [1, 2] })) }),
        ),
    ]
}

/// The findings with pointers turned into places in the text.
fn placed(mut findings: Vec<Value>, text: &str, name: &str) -> Vec<Value> {
    let (_, sources, _) = read_data(Source::new(name, text), Format::Json);
    let mut objects: Vec<&mut Map<String, Value>> = Vec::new();
    for finding in &mut findings {
        let object = finding.as_object_mut().expect("a finding is an object");
        if let Some(Value::Array(related)) = object.get("related").cloned().filter(|r| *r != json!([])) {
            object.insert("related".into(), placed(related, text, name).into());
        }
        objects.push(object);
    }
    let pointer =
        |object: &&mut Map<String, Value>| object["pointer"].as_str().unwrap_or_default().to_owned();
    let mut places: Vec<Diagnostic> =
        objects.iter().map(|object| Diagnostic::error("x", Location::Pointer(pointer(object)), "")).collect();
    place_in_data(&mut places, &sources, Format::Json, "no prefix");
    for (object, place) in objects.into_iter().zip(&places) {
        let shown = json::one(place, &sources);
        object.shift_remove("pointer");
        // Who has no text is told the operation's name, too.
        object.shift_remove("operation");
        for key in ["file", "line", "column", "endLine", "endColumn"] {
            object.insert(key.to_owned(), shown[key].clone());
        }
    }
    findings
}

fn sorted(findings: Vec<Value>) -> Vec<String> {
    let mut lines: Vec<String> =
        findings.into_iter().map(|finding| pop_compiler::canonical::sorted(finding).to_string()).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn the_server_says_what_the_command_line_says() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pop.db");
    let server =
        Service::start(&["server", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()])
            .await;
    let client = server.client();
    for (i, (rule, document)) in documents().into_iter().enumerate() {
        let name = folder.path().join(format!("{i}.agenda.json")).to_str().unwrap().to_owned();
        let text = format!("{document:#}");
        std::fs::write(&name, &text).unwrap();
        let checked = pop(&["check", &name, "--format", "json"]).await;
        let said: Value =
            serde_json::from_str(&stdout(&checked)).unwrap_or_else(|e| panic!("{e}: {}", stderr(&checked)));
        let expected = said["diagnostics"].as_array().unwrap().clone();
        assert_eq!(code(&checked), Some(1), "{name}");
        assert!(expected.iter().any(|finding| finding["rule"] == rule), "{rule}: {expected:#?}");

        let key = if document.get("agenda").is_some() { "template" } else { "agenda" };
        let request: SubmitRequest = serde_json::from_value(json!({ key: document })).unwrap();
        let Err(Error::Problem(problem)) = client.submit(request).await else {
            panic!("{rule} was taken in")
        };
        assert_eq!(problem.status, 422, "{rule}");
        let found = problem.diagnostics;
        let found = placed(found, &text, &name);
        assert_eq!(sorted(found), sorted(expected), "{rule}");
    }
}
