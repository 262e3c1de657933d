//! Real agendas and real recorded workflows, executed by real processes.

use pop_compiler::agenda::Agenda;
use pop_compiler::graph::Graph;
use pop_sdk::api::{AgendaState, AgendaView, OperationState};
use serde_json::Value;

use crate::support::{check_order, code, data, most_at_once, pop, stderr, stdout};

fn read(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn edges(agenda: &Agenda) -> Vec<(String, String)> {
    let graph = Graph::new(agenda);
    graph.edges().map(|(a, b, _)| (graph.name(a).to_owned(), graph.name(b).to_owned())).collect()
}

/// The time scale under which the longest path of a recording lasts about a second.
fn scale(text: &str) -> f64 {
    let document: Value = serde_json::from_str(text).unwrap();
    let tasks = |part: &str| document["workflow"][part]["tasks"].as_array().unwrap().clone();
    let seconds: std::collections::HashMap<String, f64> = tasks("execution")
        .iter()
        .map(|t| (t["id"].as_str().unwrap().into(), t["runtimeInSeconds"].as_f64().unwrap()))
        .collect();
    let parents: std::collections::HashMap<String, Vec<String>> = tasks("specification")
        .iter()
        .map(|t| {
            let parents = t["parents"].as_array().unwrap().iter().map(|p| p.as_str().unwrap().to_owned());
            (t["id"].as_str().unwrap().to_owned(), parents.collect())
        })
        .collect();
    let mut done: std::collections::HashMap<&str, f64> = std::collections::HashMap::new();
    while done.len() < parents.len() {
        for (task, up) in &parents {
            if !done.contains_key(task.as_str()) && up.iter().all(|p| done.contains_key(p.as_str())) {
                let start = up.iter().map(|p| done[p.as_str()]).fold(0.0, f64::max);
                done.insert(task, start + seconds[task]);
            }
        }
    }
    1.0 / done.values().copied().fold(0.001, f64::max)
}

#[tokio::test]
async fn the_originals_multi_sample_runs_wide() {
    let Some(file) = data("pop-samples/multi-sample.agenda.json") else { return };
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let arguments =
        ["run", file.to_str().unwrap(), "--time-scale", "0.2", "--report", report.to_str().unwrap()];
    let output = pop(&arguments).await;
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    let view: AgendaView = serde_json::from_str(&read(&report)).unwrap();
    assert_eq!((view.state, view.succeeded, view.total), (AgendaState::Succeeded, 65, 65));
    assert!(most_at_once(&view) >= 40, "only {} at once", most_at_once(&view));
    let agenda: Agenda = serde_json::from_str(&read(&file)).unwrap();
    let edges = edges(&agenda);
    assert_eq!(edges.len(), 25);
    check_order(&view, &edges);
    let outputs: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(outputs["Sample.1"]["actionData"], "firstAction A");
    // What the reference stood for is what was logged; nothing of the token is left anywhere.
    assert!(!outputs.to_string().contains("@<"));
}

#[tokio::test]
async fn the_originals_other_samples() {
    let Some(folder) = data("pop-samples") else { return };
    let run =
        async |name: &str| pop(&["run", folder.join(name).to_str().unwrap(), "--time-scale", "0.01"]).await;
    for name in ["obsolete-tokens.agenda.json", "sample.agenda.json", "minimal.agenda.json"] {
        let output = run(name).await;
        assert_eq!(code(&output), Some(0), "{name}: {}", stderr(&output));
    }
    let noop = run("noop.agenda.json").await;
    assert_eq!(code(&noop), Some(1));
    assert!(stderr(&noop).contains("empty-workflow"), "{}", stderr(&noop));
    // Two operations of a type that nobody here knows: both fail, with what to do.
    let encodes = run("two-encodes.agenda.json").await;
    assert_eq!(code(&encodes), Some(3));
    assert!(stderr(&encodes).contains("operation type `encode`"), "{}", stderr(&encodes));
}

#[tokio::test]
async fn recorded_workflows_import_compile_and_run_in_order() {
    let Some(folder) = data("workflows") else { return };
    let work = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "json"));
    files.sort();
    assert_eq!(files.len(), 12);
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let flow = work.path().join(format!("{name}.pop.toml"));
        let report = work.path().join(format!("{name}.report.json"));
        let (flow, report) = (flow.to_str().unwrap(), report.to_str().unwrap());
        let output = pop(&["import", "wfcommons", file.to_str().unwrap(), "-o", flow]).await;
        assert_eq!(code(&output), Some(0), "{name}: {}", stderr(&output));
        let checked = pop(&["check", flow]).await;
        assert_eq!(code(&checked), Some(0), "{name}: {}", stdout(&checked));
        let scale = scale(&read(&file)).to_string();
        let output = pop(&["run", flow, "--time-scale", &scale, "--quiet", "--report", report]).await;
        assert_eq!(code(&output), Some(0), "{name}: {}", stderr(&output));

        let view: AgendaView = serde_json::from_str(&read(std::path::Path::new(report))).unwrap();
        let recorded: Value = serde_json::from_str(&read(&file)).unwrap();
        let tasks = recorded["workflow"]["specification"]["tasks"].as_array().unwrap();
        assert_eq!(view.operations.len(), tasks.len(), "{name}");
        assert!(view.operations.iter().all(|o| o.state == OperationState::Succeeded), "{name}");
        let parents: Vec<(String, String)> = tasks
            .iter()
            .flat_map(|t| {
                let id = t["id"].as_str().unwrap().to_owned();
                let parents = t["parents"].as_array().unwrap().iter();
                parents.map(move |p| (p.as_str().unwrap().to_owned(), id.clone())).collect::<Vec<_>>()
            })
            .collect();
        check_order(&view, &parents);
        println!(
            "{name}: {} operations, {} edges, {} at once",
            tasks.len(),
            parents.len(),
            most_at_once(&view)
        );
    }
}
