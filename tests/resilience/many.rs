//! Very many programs under the default settings.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pop_sdk::client::Client;
use serde_json::json;

use crate::support::Service;
use crate::{scripts, wanted};

/// Runs `count` programs; returns the time, and the longest wait for `/healthz` meanwhile.
async fn fan_out(client: &Client, address: &str, count: usize) -> (Duration, Duration) {
    let start = Instant::now();
    let run = client.submit_agenda(scripts(count, "exit 0", json!({}))).await.expect("accepted");
    let health = format!("{address}/healthz");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let longest = Cell::new(Duration::ZERO);
    let watched = async {
        run.wait::<serde_json::Value>().await.expect("it ends well");
    };
    let looking = async {
        loop {
            let asked = Instant::now();
            http.get(&health).send().await.expect("an answer");
            longest.set(asked.elapsed().max(longest.get()));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = watched => {}
        () = looking => {}
    }
    let view = run.view().await.unwrap();
    assert_eq!((view.state.as_str(), view.epoch, view.succeeded as usize), ("succeeded", 1, count));
    (start.elapsed(), longest.get())
}

#[tokio::test]
async fn a_fan_out_of_ten_thousand_programs_ends_under_its_first_lease() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("pop.db");
    let dev =
        Service::start(&["dev", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()]).await;
    let client = dev.client();
    let (few, _) = fan_out(&client, &dev.address, 1_000).await;
    let (many, longest) = fan_out(&client, &dev.address, 10_000).await;
    println!(
        "1,000 programs: {few:.1?}; 10,000: {many:.1?}, {:.1} times as long; longest wait for /healthz {longest:.0?}",
        many.as_secs_f64() / few.as_secs_f64()
    );
}
