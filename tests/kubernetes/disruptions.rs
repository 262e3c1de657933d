//! Pods that others end: the failure names the cause, and costs the user's retries only what is the user's fault.

use pop_compiler::agenda::{Agenda, keys};
use pop_sdk::api::{AgendaState, FailureClass, OperationState, OperationView};
use serde_json::{Value, json};

use crate::farm::{
    Farm, class_and_code, ended, event, executing, free_port, only, only_with_retries, script, until,
};
use crate::support::{code, pop, stdout};

/// Runs until somebody ends the first attempt; the second attempt succeeds at once.
const FIRST_STAYS: &str = r#"[ "$POP_ATTEMPT" != 1 ] || while :; do sleep 0.1; done"#;

/// The operation `only`, as `pop get --json` tells.
async fn got(server: &str, id: &str) -> OperationView {
    let output = pop(&["get", id, "--json", "--server", server]).await;
    assert_eq!(code(&output), Some(0));
    let view: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    serde_json::from_value(view["operations"][0].clone()).expect("an operation")
}

/// The first failure of the operation `only`, however the run went on.
async fn first_failure(run: &pop_sdk::client::Run) -> OperationView {
    event(run, |operation| operation.failure.is_some()).await
}

/// Waits for the first attempt, ends its pod with `end`, and returns the failure and the last view.
async fn disturbed(
    farm: &Farm,
    agenda: Agenda,
    end: impl AsyncFnOnce(&Farm, &str),
) -> (OperationView, OperationView, AgendaState) {
    let server = farm.server("127.0.0.1:0", "30s").await;
    let _agent = farm.agent(&server.address, free_port(), &[]);
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    executing(&run).await;
    let pods = farm.pods().await;
    end(farm, pods[0]["metadata"]["name"].as_str().expect("a name")).await;
    let failed = first_failure(&run).await;
    let view = ended(&run).await;
    farm.empty().await;
    (failed, got(&server.address, run.id()).await, view.state)
}

/// A drained node: the attempt costs nothing, and the next one waits until a node is there.
#[tokio::test]
async fn a_drained_node() {
    let Some(farm) = Farm::alone("drain").await else { return };
    let mut spec = script(FIRST_STAYS);
    spec["kubernetes"] = json!({"labels": {"e2e": farm.namespace}});
    let (failed, last, state) = disturbed(&farm, only(spec, json!({})), async |farm, pod| {
        let place = "jsonpath={.spec.nodeName}";
        let node = farm.kubectl(&["get", "pod", pod, "-n", &farm.namespace, "-o", place]).await;
        let _closed = farm.will_uncordon(&node);
        let selector = format!("--pod-selector=e2e={}", farm.namespace);
        let force = ["--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s"];
        let arguments: Vec<&str> = ["drain", &node, &selector].into_iter().chain(force).collect();
        farm.kubectl(&arguments).await;
    })
    .await;
    assert_eq!(class_and_code(&failed), (FailureClass::Infra, "Evicted"));
    let message = &failed.failure.as_ref().expect("a failure").message;
    assert!(message.contains("EvictionByEvictionAPI") && message.contains("POP tries again"), "{message}");
    assert_eq!((state, last.attempt, last.failures), (AgendaState::Succeeded, 2, 0), "{last:?}");
}

#[tokio::test]
async fn a_pod_that_somebody_deletes() {
    let Some(farm) = Farm::new("deleted").await else { return };
    let (failed, last, state) = disturbed(&farm, only(script(FIRST_STAYS), json!({})), async |farm, pod| {
        farm.kubectl(&["delete", "pod", pod, "-n", &farm.namespace, "--wait=false"]).await;
    })
    .await;
    // The program may have done half of its work, so only a person can decide.
    assert_eq!(class_and_code(&failed), (FailureClass::Config, "PodDeleted"));
    let message = &failed.failure.as_ref().expect("a failure").message;
    assert!(
        message.contains("a client of the cluster deleted pod") && message.contains("idempotent"),
        "{message}"
    );
    assert_eq!((state, last.attempt, last.state), (AgendaState::Failed, 1, OperationState::Failed));
}

#[tokio::test]
async fn a_pod_of_an_idempotent_type_that_somebody_deletes() {
    let Some(farm) = Farm::new("idempotent").await else { return };
    let mut spec = script(FIRST_STAYS);
    spec["idempotent"] = true.into();
    let (failed, last, state) = disturbed(&farm, only(spec, json!({})), async |farm, pod| {
        farm.kubectl(&["delete", "pod", pod, "-n", &farm.namespace, "--wait=false"]).await;
    })
    .await;
    assert_eq!(class_and_code(&failed), (FailureClass::Infra, "PodDeleted"));
    assert_eq!((state, last.attempt, last.failures), (AgendaState::Succeeded, 2, 0), "{last:?}");
}

#[tokio::test]
async fn a_program_that_needs_too_much_memory() {
    let Some(farm) = Farm::new("memory").await else { return };
    let server = farm.server("127.0.0.1:0", "30s").await;
    let _agent = farm.agent(&server.address, free_port(), &[]);
    let text = r#"[ "$POP_ATTEMPT" = 3 ] || tail /dev/zero"#;
    let mut agenda = only_with_retries(script(text), json!({}), 3);
    agenda.operations[0].params.insert(keys::RESOURCES.to_owned(), json!({"memory": "48Mi"}));
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    let failed = first_failure(&run).await;
    assert_eq!(class_and_code(&failed), (FailureClass::UserResource, "OutOfMemory"));
    let message = &failed.failure.as_ref().expect("a failure").message;
    assert!(message.contains("48 MiB") && message.contains("resources.memory"), "{message}");
    let view = ended(&run).await;
    let last = got(&server.address, run.id()).await;
    // Here the retries are the user's own.
    assert_eq!((view.state, last.attempt, last.failures), (AgendaState::Succeeded, 3, 2), "{last:?}");
    farm.empty().await;
}

/// A quota and a cordoned node make an operation wait, with the reason where users look.
#[tokio::test]
async fn an_operation_that_waits_says_why() {
    let Some(farm) = Farm::new("waits").await else { return };
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}}});
    farm.apply(&farm.namespace, &quota).await;
    until("quota", async || {
        let used = "jsonpath={.status.used.pods}";
        let used = farm.kubectl(&["get", "quota", "none", "-n", &farm.namespace, "-o", used]).await;
        (used == "0").then_some(())
    })
    .await;
    let server = farm.server("127.0.0.1:0", "30s").await;
    let _agent = farm.agent(&server.address, free_port(), &[]);
    let run = server.client().submit_agenda(only(script("true"), json!({}))).await.expect("accepted");
    let waits = until("reason", async || {
        let only = got(&server.address, run.id()).await;
        only.message.filter(|text| text.contains("exceeded quota"))
    });
    println!("{}", waits.await);
    farm.kubectl(&["delete", "quota", "none", "-n", &farm.namespace]).await;
    let view = ended(&run).await;
    assert_eq!((view.state, view.operations[0].failures), (AgendaState::Succeeded, 0));
    farm.empty().await;
}
