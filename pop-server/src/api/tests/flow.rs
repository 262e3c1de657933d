//! Successful calls of the API.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::fixture::{Api, agenda};
use crate::serve::Config;
use crate::store::sqlite::SqliteStore;

#[tokio::test]
async fn submit_pull_report_get() {
    let api = Api::new().await;
    let id = api.submit("default").await;
    let leases = api.pull(4, "r1").await;
    assert_eq!(leases.len(), 1);
    assert_eq!((leases[0].id.as_str(), leases[0].epoch), (id.as_str(), 1));
    assert_eq!(leases[0].agenda.operations[0].name, "a");
    assert_eq!(api.pull(4, "r1").await, leases, "a repeated pull gets the same leases");
    assert!(api.pull(4, "r2").await.is_empty());
    api.finish(&leases[0]).await;
    api.finish(&leases[0]).await;

    let (status, view) = api.get(&format!("/v1/agendas/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(view["state"], "succeeded");
    assert_eq!(view["percent"].to_string(), "100.0");
    assert_eq!(view["outputs"], json!({ "n": 1 }));
    assert_eq!(view["operations"][0]["output"], json!({ "n": 1 }));
    assert_eq!(api.get("/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_template_is_expanded_and_checked() {
    let api = Api::new().await;
    let template = json!({
        "title": "greet",
        "params": { "pop.inputs": { "type": "object", "properties": { "name": { "type": "string" } },
            "required": ["name"], "additionalProperties": false } },
        "agenda": { "operations": [
            { "name": "a", "type": "pop.log", "payload": { "message": "@<pop.payload::/name>" } }] },
    });
    let (status, view) =
        api.post("/v1/agendas", json!({ "template": template, "inputs": { "name": "Ada" } })).await;
    assert_eq!(status, StatusCode::CREATED, "{view}");
    let lease = api.pull(1, "r").await.remove(0);
    assert_eq!(lease.agenda.operations[0].payload, json!({ "message": "Ada" }));

    let (status, problem) = api.post("/v1/agendas", json!({ "template": template, "inputs": {} })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["diagnostics"][0]["rule"].is_string(), "{problem}");
}

#[tokio::test]
async fn a_key_makes_one_agenda() {
    let api = Api::new().await;
    let body = json!({ "agenda": agenda(), "idempotency_key": "k" });
    let (first, one) = api.post("/v1/agendas", body.clone()).await;
    let (second, two) = api.post("/v1/agendas", body.clone()).await;
    assert_eq!((first, second), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(one["id"], two["id"]);
    let lease = api.pull(1, "r").await.remove(0);
    api.finish(&lease).await;
    assert_eq!(api.post("/v1/agendas", body).await.1["id"], one["id"], "also after the end");
    let other =
        json!({ "agenda": { "operations": [{ "name": "b", "type": "pop.log" }] }, "idempotency_key": "k" });
    assert_eq!(api.post("/v1/agendas", other).await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let api = Api::new().await;
    api.put("/v1/customers/acme", json!({ "pool": "default" })).await;
    let mut ids = Vec::new();
    for customer in ["default", "acme", "default", "acme", "default"] {
        ids.push(api.submit(customer).await);
    }
    ids.reverse();
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (_, page) = api.get(&format!("/v1/agendas?limit=2{after}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let (_, acme) = api.get("/v1/agendas?customer=acme").await;
    assert_eq!(acme["items"].as_array().unwrap().len(), 2);
    let (_, none) = api.get("/v1/agendas?state=failed").await;
    assert!(none["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn cancel_before_and_after_the_lease() {
    let api = Api::new().await;
    let early = api.submit("default").await;
    let (_, view) = api.post(&format!("/v1/agendas/{early}/cancel"), Value::Null).await;
    assert_eq!(view["state"], "cancelled");
    assert_eq!(view["operations"][0]["state"], "cancelled");

    let late = api.submit("default").await;
    let lease = api.pull(1, "r").await.remove(0);
    let (_, view) = api.post(&format!("/v1/agendas/{late}/cancel"), Value::Null).await;
    assert_eq!(view["state"], "leased");
    let renew = json!({ "worker": "w", "instance": "i", "leases": [{ "id": lease.id, "epoch": 1 }, { "id": "ag_x", "epoch": 1 }] });
    let (_, renewed) = api.post("/v1/pools/default/renew", renew).await;
    assert_eq!(
        (&renewed["cancel"], &renewed["lost"]),
        (&json!([{ "id": late, "epoch": 1 }]), &json!([{ "id": "ag_x", "epoch": 1 }]))
    );
    let end = json!({ "worker": "w", "instance": "i", "reports": [{ "id": late, "epoch": 1, "end": { "state": "cancelled" } }] });
    assert_eq!(api.post("/v1/pools/default/report", end).await.1["results"], json!(["accepted"]));
    assert_eq!(api.get(&format!("/v1/agendas/{late}")).await.1["state"], "cancelled");
    let (status, _) = api.post(&format!("/v1/agendas/{late}/cancel"), Value::Null).await;
    assert_eq!(status, StatusCode::OK, "cancelling what has ended changes nothing");
}

#[tokio::test]
async fn a_pull_waits_for_work() {
    let api = Arc::new(Api::new().await);
    let waiting = Arc::clone(&api);
    let pull = tokio::spawn(async move {
        let body = json!({ "worker": "w", "instance": "i", "count": 1, "wait_ms": 30_000, "request": "r" });
        waiting.post("/v1/pools/default/pull", body).await.1
    });
    tokio::task::yield_now().await;
    let id = api.submit("default").await;
    assert_eq!(pull.await.unwrap()["leases"][0]["id"], json!(id));
}

/// The events of a stream until its end.
async fn events(api: &Api, id: &str, last: Option<u64>) -> Vec<(u64, Value)> {
    let mut request = Request::builder().uri(format!("/v1/agendas/{id}/events"));
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last.to_string());
    }
    let (status, kind, body) = api.raw(request.body(Body::empty()).unwrap()).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/event-stream"));
    let text = String::from_utf8(body).unwrap();
    text.split("\n\n")
        .filter(|block| block.contains("id:"))
        .map(|block| {
            let field = |name: &str| {
                block.lines().find_map(|line| line.strip_prefix(name)).map(|v| v.trim().to_owned()).unwrap()
            };
            (field("id:").parse().unwrap(), serde_json::from_str(&field("data:")).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_stream_has_every_event_once_and_ends() {
    let api = Arc::new(Api::new().await);
    let id = api.submit("default").await;
    let (following, watched) = (Arc::clone(&api), id.clone());
    let live = tokio::spawn(async move { events(&following, &watched, None).await });
    tokio::task::yield_now().await;
    let lease = api.pull(1, "r").await.remove(0);
    for percent in [10, 20, 30] {
        let running =
            json!({ "name": "a", "type": "pop.log", "state": "executing", "attempt": 1, "percent": percent });
        let report = json!({ "worker": "w", "instance": "i", "reports": [{ "id": id, "epoch": 1, "operations": [running] }] });
        api.post("/v1/pools/default/report", report).await;
    }
    api.finish(&lease).await;
    let live = live.await.unwrap();
    let seqs: Vec<u64> = live.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, (1..=live.len() as u64).collect::<Vec<_>>());
    assert_eq!(live.last().unwrap().1["state"], "succeeded");
    let percents: Vec<f64> = live.iter().map(|(_, e)| e["percent"].as_f64().unwrap()).collect();
    assert!(percents.is_sorted(), "{percents:?}");

    let resumed = events(&api, &id, Some(3)).await;
    assert_eq!(resumed, live[3..]);
    assert!(events(&api, &id, Some(live.len() as u64)).await.is_empty());
}

#[tokio::test]
async fn logs_are_kept_once_and_paged() {
    let api = Api::new().await;
    let id = api.submit("default").await;
    api.pull(1, "r").await;
    let chunk = |offset: u64, text: &str| json!({ "operation": "a", "attempt": 1, "stream": "stdout", "offset": offset, "text": text });
    let report = json!({ "worker": "w", "instance": "i", "reports": [{ "id": id, "epoch": 1, "logs": [chunk(0, "one\n"), chunk(4, "two\n")] }] });
    api.post("/v1/pools/default/report", report.clone()).await;
    api.post("/v1/pools/default/report", report).await;
    let (_, page) = api.get(&format!("/v1/agendas/{id}/logs?limit=1")).await;
    assert_eq!(page["items"][0]["text"], "one\n");
    let next = page["next"].as_str().unwrap();
    let (_, page) = api.get(&format!("/v1/agendas/{id}/logs?operation=a&after={next}")).await;
    assert_eq!(page["items"], json!([chunk(4, "two\n")]));
    assert!(page.get("next").is_none());
}

#[tokio::test]
async fn settings_come_and_go() {
    let api = Api::new().await;
    let insight = json!({ "pool": "p", "mappers": { "paramMap": ["tier=gold"] }, "queue_size": 2 });
    assert_eq!(api.put("/v1/pools/p", json!({})).await.0, StatusCode::CREATED);
    assert_eq!(api.put("/v1/pools/p", json!({ "title": "P" })).await.0, StatusCode::OK);
    assert_eq!(api.put("/v1/insights/gold", insight).await.0, StatusCode::CREATED);
    assert_eq!(api.put("/v1/customers/acme", json!({ "pool": "p" })).await.0, StatusCode::CREATED);
    assert_eq!(api.get("/v1/pools/p").await.1, json!({ "id": "p", "title": "P" }));
    let (_, page) = api.get("/v1/insights?limit=1").await;
    assert_eq!((&page["items"][0]["id"], &page["next"]), (&json!("default"), &json!("default")));
    let delete = |path: &'static str| api.call(Method::DELETE, path, None);
    assert_eq!(delete("/v1/pools/p").await.0, StatusCode::CONFLICT);
    for path in ["/v1/customers/acme", "/v1/insights/gold", "/v1/pools/p"] {
        assert_eq!(delete(path).await.0, StatusCode::NO_CONTENT);
        assert_eq!(delete(path).await.0, StatusCode::NOT_FOUND);
        assert_eq!(api.get(path).await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn twenty_customers_take_turns() {
    let api = Api::new().await;
    let names: Vec<String> = (1..=20).map(|n| format!("c{n:02}")).collect();
    for name in &names {
        api.put(&format!("/v1/customers/{name}"), json!({ "pool": "default" })).await;
    }
    // Each customer submits all its work before the next customer submits.
    for name in &names {
        for _ in 0..3 {
            api.submit(name).await;
        }
    }
    // The queue filled while only the first two customers had work: after their turns, the policy's second pass took
    // over.
    let queue_size = 4;
    let mut order = Vec::new();
    for n in 0.. {
        let leases = api.pull(4, &format!("r{n}")).await;
        if leases.is_empty() {
            break;
        }
        for lease in leases {
            order.push(lease.agenda.customer_id.clone().unwrap());
            api.finish(&lease).await;
        }
    }
    assert_eq!(order.len(), 60);
    assert_eq!(order[..queue_size], ["c01", "c01", "c01", "c02"]);
    for name in &names {
        assert_eq!(order.iter().filter(|o| *o == name).count(), 3, "{name}");
    }
    // From there on, every customer with work gets one turn before any customer gets a second one.
    let rest = &order[queue_size..];
    let first: std::collections::BTreeSet<&String> = rest[..18].iter().collect();
    assert_eq!(first.len(), 18, "{rest:?}");
}

#[tokio::test]
async fn unknown_customers_are_created_when_asked_to() {
    let config = Config { auto_customers: true, ..Config::default() };
    let api = Api::on(Arc::new(SqliteStore::in_memory().unwrap()), config).await;
    api.submit("newcomer").await;
    assert_eq!(api.get("/v1/customers/newcomer").await.1["pool"], "default");
}

#[tokio::test]
async fn an_overdue_lease_comes_back() {
    let api = Api::new().await;
    let id = api.submit("default").await;
    let old = api.pull(1, "r1").await.remove(0);
    // Every command makes the writer check its deadlines. One large step of the clock would count as a pause of the
    // server.
    for _ in 0..31 {
        api.clock.advance(std::time::Duration::from_secs(1));
        api.put("/v1/pools/p", json!({})).await;
    }
    let new = api.pull(1, "r2").await.remove(0);
    assert_eq!((new.id.as_str(), new.epoch), (id.as_str(), 2));
    let stale = json!({ "worker": "w", "instance": "i", "reports": [{ "id": id, "epoch": old.epoch, "end": { "state": "succeeded" } }] });
    assert_eq!(api.post("/v1/pools/default/report", stale).await.1["results"], json!(["stale"]));
}

#[tokio::test]
async fn a_lease_belongs_to_the_start_that_speaks_for_the_agent() {
    let api = Api::new().await;
    let id = api.submit("default").await;
    let lease = api.pull(1, "r1").await.remove(0);
    let call = async |what: &str, mut body: Value, instance: &str| {
        (body["worker"], body["instance"]) = (json!("w"), json!(instance));
        api.post(&format!("/v1/pools/default/{what}"), body).await
    };
    let leases = json!([{ "id": id, "epoch": lease.epoch }]);
    let (_, attached) = call("attach", json!({ "holding": leases }), "j").await;
    assert_eq!((&attached["kept"], &attached["returned"]), (&leases, &json!([])));
    for (what, body) in [
        ("renew", json!({ "leases": leases })),
        ("release", json!({ "leases": leases })),
        ("pull", json!({ "count": 1, "request": "r1" })),
    ] {
        let (status, problem) = call(what, body, "i").await;
        assert_eq!((status.as_u16(), &problem["type"]), (409, &json!("/problems/superseded")), "{what}");
        assert!(
            problem["detail"].as_str().unwrap().contains("a later start of agent `w` has taken over"),
            "{problem}"
        );
    }
    let (_, released) = call("release", json!({ "leases": leases }), "j").await;
    assert_eq!(released, json!({ "released": leases }));
    let (_, view) = api.get(&format!("/v1/agendas/{id}")).await;
    assert_eq!(
        (&view["state"], &view["reason"]),
        (&json!("queued"), &json!("returned: the pool released the lease"))
    );
    let (_, again) = call("pull", json!({ "count": 1, "request": "r2" }), "j").await;
    let again = &again["leases"][0];
    assert_eq!((&again["epoch"], &again["interrupted"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn an_answer_to_a_pull_is_bounded() {
    let config = Config { pull_limit: 250, ..Config::default() };
    let api = Api::on(Arc::new(SqliteStore::in_memory().unwrap()), config).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(api.submit("default").await);
    }
    let mut got = Vec::new();
    for n in 0.. {
        let leases = api.pull(5, &format!("r{n}")).await;
        if leases.is_empty() {
            break;
        }
        assert!(leases.len() < 5, "{}", leases.len());
        got.extend(leases.into_iter().map(|lease| lease.id));
    }
    assert_eq!(got, ids);
}
