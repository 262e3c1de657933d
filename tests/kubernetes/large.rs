//! Large runs in pods: every output is right, and every operation starts after the operations that it waits for.

use pop_compiler::agenda::Agenda;
use pop_compiler::graph::Graph;
use pop_sdk::api::{AgendaState, AgendaView};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::farm::{Farm, ended, free_port};
use crate::support::{check_history, check_order, code, data, history, pop, root, stderr, stdout};

/// Held by one large run at a time: a node takes 250 pods.
static NODE: Mutex<()> = Mutex::const_new(());

/// The run specs of recorded operations.
fn catalog() -> String {
    root().join("tests/kubernetes/recorded.toml").to_str().expect("UTF-8").to_owned()
}

/// Runs a recorded agenda in pods, and checks order and outputs. An operation's output is the part `output` of its
/// input.
async fn run_recorded(farm: &Farm, mut agenda: Agenda, total: usize, output: &str) {
    for operation in &mut *agenda.operations {
        operation.kind = format!("recorded.{}", operation.kind.trim_start_matches("pop."));
    }
    let outputs: Vec<Value> = agenda.operations.iter().map(|o| o.payload[output].clone()).collect();
    let server = farm.server("127.0.0.1:0", "30s").await;
    let _agent = farm.agent(&server.address, free_port(), &["--catalog", &catalog()]);
    let run = server.client().submit_agenda(agenda.clone()).await.expect("accepted");
    let view = ended(&run).await;
    assert_eq!((view.state, view.operations.len()), (AgendaState::Succeeded, total), "{:?}", view.failure);
    check_history(&history(&run).await);
    let graph = Graph::new(&agenda);
    let edges: Vec<(String, String)> =
        graph.edges().map(|(a, b, _)| (graph.name(a).to_owned(), graph.name(b).to_owned())).collect();
    assert!(!edges.is_empty());
    check_order(&view, &edges);
    for (operation, expected) in view.operations.iter().zip(outputs) {
        let output = operation.output.clone().unwrap_or_default();
        assert_eq!((output, operation.attempt), (expected, 1), "{}", operation.name);
    }
    farm.empty().await;
}

#[tokio::test]
async fn the_originals_multi_sample_runs_in_pods() {
    let Some(file) = data("pop-samples/multi-sample.agenda.json") else { return };
    let _node = NODE.lock().await;
    let Some(farm) = Farm::new("multi-sample").await else { return };
    let text = std::fs::read_to_string(file).expect("a file");
    run_recorded(&farm, serde_json::from_str(&text).expect("an agenda"), 65, "resultPayload").await;
}

#[tokio::test]
async fn a_recorded_workflow_runs_in_pods() {
    let Some(recorded) = data("workflows/montage-chameleon-2mass-015d-001.json") else { return };
    let _node = NODE.lock().await;
    let Some(farm) = Farm::new("montage").await else { return };
    let flow = farm.folder.path().join("montage.pop.toml");
    let (recorded, flow) = (recorded.to_str().expect("UTF-8"), flow.to_str().expect("UTF-8"));
    let imported = pop(&["import", "wfcommons", recorded, "-o", flow]).await;
    assert_eq!(code(&imported), Some(0), "{}", stderr(&imported));
    let built = pop(&["build", flow]).await;
    run_recorded(&farm, serde_json::from_slice(&built.stdout).expect("an agenda"), 310, "output").await;
}

#[tokio::test]
async fn a_wide_fan_out_gives_in_pods_what_it_gives_here() {
    const WIDTH: usize = 200;
    let _node = NODE.lock().await;
    let Some(farm) = Farm::new("wide").await else { return };
    let file = root().join("tests/kubernetes/wide.pop.toml");
    let (file, numbers) = (file.to_str().expect("UTF-8"), json!((0..WIDTH).collect::<Vec<_>>()));
    let inputs = json!({"numbers": numbers}).to_string();
    let here = pop(&["run", file, "--input", &inputs, "--allow-host", "--quiet"]).await;
    assert_eq!(code(&here), Some(0), "{}", stderr(&here));
    let here: Value = serde_json::from_str(&stdout(&here)).expect("outputs");

    let server = farm.server("127.0.0.1:0", "30s").await;
    let _agent = farm.agent(&server.address, free_port(), &[]);
    let submitted = pop(&["submit", file, "--input", &inputs, "--server", &server.address]).await;
    assert_eq!(code(&submitted), Some(0), "{}", stderr(&submitted));
    let run = server.client().attach(stdout(&submitted).trim()).await.expect("an id");
    let view: AgendaView = ended(&run).await;
    assert_eq!(
        (view.state, view.operations.len()),
        (AgendaState::Succeeded, WIDTH + 1),
        "{:?}",
        view.failure
    );
    assert_eq!(view.outputs.as_ref(), Some(&here));
    let edges: Vec<(String, String)> =
        (0..WIDTH).map(|i| (format!("square.{i}"), "sum".to_owned())).collect();
    check_order(&view, &edges);
    farm.empty().await;
}
