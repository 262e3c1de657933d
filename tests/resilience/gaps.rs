//! A pool that stands still, or loses its network, for longer than its leases.

use std::time::Duration;

use crate::network::Network;
use crate::{check_once, once_at_a_time, pass, pool, scripts, server, signal, until_succeeded, wanted};

const LEASE: Duration = Duration::from_secs(3);

/// Suspends a pool for three leases in the middle of a run of 60 operations, then resumes it.
async fn paused(with_another: bool) {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "3s").await;
    let first = pool(folder.path(), &server.address, "first");
    let script = once_at_a_time(folder.path(), "1");
    let run =
        server.client().submit_agenda(scripts(60, &script, serde_json::json!({}))).await.expect("accepted");
    until_succeeded(&run, 20).await;
    let second = with_another.then(|| pool(folder.path(), &server.address, "second"));
    signal(&first, "STOP").await;
    pass(LEASE * 3).await;
    signal(&first, "CONT").await;
    let ended = run.wait::<serde_json::Value>().await;
    ended.expect("it ends well");
    check_once(folder.path(), &run.view().await.unwrap());
    drop(second);
}

#[tokio::test]
async fn a_pool_that_stood_still_goes_on() {
    if wanted() {
        paused(false).await;
    }
}

#[tokio::test]
async fn what_a_pool_had_that_stood_still_goes_on_elsewhere() {
    if wanted() {
        paused(true).await;
    }
}

/// Cuts the network for two leases, then restores it.
async fn cut_off(with_another: bool) {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "3s").await;
    let network = Network::start(&server.address).await;
    let first = pool(folder.path(), &network.address, "first");
    let script = once_at_a_time(folder.path(), "1");
    let run =
        server.client().submit_agenda(scripts(60, &script, serde_json::json!({}))).await.expect("accepted");
    until_succeeded(&run, 20).await;
    let second = with_another.then(|| pool(folder.path(), &server.address, "second"));
    network.cut(true);
    pass(LEASE * 2).await;
    network.cut(false);
    run.wait::<serde_json::Value>().await.expect("it ends well");
    check_once(folder.path(), &run.view().await.unwrap());
    drop((first, second));
}

#[tokio::test]
async fn a_pool_that_was_cut_off_goes_on() {
    if wanted() {
        cut_off(false).await;
    }
}

#[tokio::test]
async fn what_a_pool_had_that_was_cut_off_goes_on_elsewhere() {
    if wanted() {
        cut_off(true).await;
    }
}

#[tokio::test]
async fn connections_that_the_network_forgets_cost_no_lease() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "9s").await;
    let network = Network::start(&server.address).await;
    let first = pool(folder.path(), &network.address, "first");
    let script = once_at_a_time(folder.path(), "20");
    let run =
        server.client().submit_agenda(scripts(1, &script, serde_json::json!({}))).await.expect("accepted");
    pass(Duration::from_secs(1)).await;
    network.forget();
    run.wait::<serde_json::Value>().await.expect("it ends well");
    let view = run.view().await.unwrap();
    check_once(folder.path(), &view);
    assert_eq!(view.epoch, 1, "the lease was kept");
    drop(first);
}
