//! Regular stops and starts of pools, as in deployments.

use std::time::Instant;

use pop_sdk::api::OperationState;
use serde_json::json;

use crate::{check_once, once_at_a_time, pool, scripts, server, signal, wanted};

/// Waits until the only operation runs in this attempt.
async fn until_running(run: &pop_sdk::client::Run, attempt: u32) {
    use futures_util::StreamExt as _;
    let mut events = std::pin::pin!(run.watch());
    loop {
        let event = events.next().await.expect("it goes on").expect("the history can be read");
        let runs =
            |o: &pop_sdk::api::OperationView| o.state == OperationState::Executing && o.attempt == attempt;
        if event.operation.as_ref().is_some_and(runs) {
            return;
        }
    }
}

#[tokio::test]
async fn twenty_restarts_cost_one_long_operation_no_lease() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "30s").await;
    // Three lost leases would fail it.
    let script = once_at_a_time(folder.path(), "$(test $POP_ATTEMPT -gt 20 && echo 1 || echo 600)");
    let agenda = scripts(1, &script, json!({ "maximumAttempts": 3 }));
    let run = server.client().submit_agenda(agenda).await.expect("accepted");
    for attempt in 1..=20 {
        let mut one = pool(folder.path(), &server.address, "one");
        until_running(&run, attempt).await;
        signal(&one, "TERM").await;
        let ended = one.wait().await.expect("it ends");
        assert!(ended.success(), "{ended}");
    }
    let last = pool(folder.path(), &server.address, "one");
    run.wait::<serde_json::Value>().await.expect("it ends well");
    let view = run.view().await.unwrap();
    check_once(folder.path(), &view);
    assert_eq!(view.epoch, 21);
    drop(last);
}

#[tokio::test]
async fn another_pool_goes_on_at_once() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "30s").await;
    let script = once_at_a_time(folder.path(), "$(test $POP_ATTEMPT -gt 1 && echo 0 || echo 600)");
    let run = server.client().submit_agenda(scripts(1, &script, json!({}))).await.expect("accepted");
    let one = pool(folder.path(), &server.address, "one");
    until_running(&run, 1).await;
    let other = pool(folder.path(), &server.address, "other");
    signal(&one, "TERM").await;
    let stopped = Instant::now();
    run.wait::<serde_json::Value>().await.expect("it ends well");
    println!(
        "the other pool had run it {:.0?} after the first was stopped; a lease lasts 30 s",
        stopped.elapsed()
    );
    check_once(folder.path(), &run.view().await.unwrap());
    drop((one, other));
}
