//! Handlers of the original POP: an image without a command, which reads its input from its environment and reports in
//! two annotations of its own pod.

use pop_compiler::agenda::Agenda;
use pop_sdk::api::{AgendaState, AgendaView, FailureClass};
use serde_json::{Value, json};

use crate::farm::{Farm, HANDLER, class_and_code, ended, free_port, only, only_with_retries};
use crate::support::history;

/// Runs an agenda of handlers. Returns the end, and the percents that users saw of the operation.
async fn handled(farm: &Farm, agenda: Agenda) -> (AgendaView, Vec<f64>) {
    farm.handlers().await;
    let server = farm.server("127.0.0.1:0", "30s").await;
    let _agent = farm.agent(&server.address, free_port(), &[]);
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    let view = ended(&run).await;
    let operations = history(&run).await.into_iter().filter_map(|event| event.operation);
    let percents = operations.map(|operation| operation.percent).collect();
    farm.empty().await;
    (view, percents)
}

fn spec() -> Value {
    json!({"image": HANDLER})
}

#[tokio::test]
async fn a_handler_tells_its_progress_and_succeeds() {
    let Some(farm) = Farm::new("handler").await else { return };
    let result = json!({"frames": 7, "text": "§ \"quoted\""});
    let agenda = only(spec(), json!({"steps": 3, "sleepMs": 300, "result": result}));
    let (view, percents) = handled(&farm, agenda).await;
    assert_eq!((view.state, view.operations[0].output.as_ref()), (AgendaState::Succeeded, Some(&result)));
    // The watch may join neighbouring changes, but not all of them.
    assert!(percents.iter().any(|percent| [25.0, 50.0, 75.0].contains(percent)), "{percents:?}");
}

#[tokio::test]
async fn a_handler_fails_with_its_own_words() {
    let Some(farm) = Farm::new("handler-fails").await else { return };
    let (view, _) = handled(&farm, only(spec(), json!({"fail": "no such film", "log": "looking"}))).await;
    let only = &view.operations[0];
    assert_eq!(class_and_code(only), (FailureClass::User, "Failed"));
    let failure = only.failure.as_ref().expect("a failure");
    assert!(failure.message.contains("no such film"), "{failure:?}");
    assert!(failure.log_tail.iter().any(|line| line == "looking"), "{failure:?}");
    assert_eq!((only.attempt, only.failures), (1, 1));
}

#[tokio::test]
async fn a_retried_handler_gets_its_last_progress() {
    let Some(farm) = Farm::new("handler-again").await else { return };
    let payload = json!({"steps": 3, "sleepMs": 100, "failUnlessProgress": 50, "result": {"ok": true}});
    let (view, _) = handled(&farm, only_with_retries(spec(), payload, 3)).await;
    let only = &view.operations[0];
    assert_eq!(view.state, AgendaState::Succeeded, "{:?}", view.failure);
    assert_eq!((only.attempt, only.failures, only.output.as_ref()), (2, 1, Some(&json!({"ok": true}))));
}

/// An environment variable holds 128 KiB, so a larger input arrives only if it is compressed and cut.
#[tokio::test]
async fn a_large_input_reaches_a_handler() {
    let Some(farm) = Farm::new("handler-large").await else { return };
    let noise: Vec<u64> = (0..20_000u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    let payload = json!({"noise": noise, "result": {"last": noise.last()}});
    assert!(payload.to_string().len() > 300_000);
    let (view, _) = handled(&farm, only(spec(), payload)).await;
    assert_eq!(view.state, AgendaState::Succeeded, "{:?}", view.failure);
    assert_eq!(view.operations[0].output, Some(json!({"last": noise.last()})));
}
