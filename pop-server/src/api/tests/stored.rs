//! Stored data keeps its meaning, even with additions of a newer program.

use std::sync::Arc;

use axum::http::StatusCode;
use pop_sdk::run::Plan;
use serde_json::{Value, json};

use super::fixture::Api;
use crate::ids::AgendaId;
use crate::serve::Config;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

fn agenda() -> Value {
    let operation = |name: &str| json!({ "name": name, "type": "t", "payload": { "x": 1.50 } });
    json!({
        "params": {
            "pop.types": { "t": { "command": ["x"] } },
            "pop.workflow": { "name": "greet", "version": "1.0.0", "digest": "d" },
        },
        "operations": [operation("a"), operation("b")],
    })
}

/// Makes an agenda fail with events of every kind, and returns the agenda's id.
async fn failed(api: &Api, request: &str) -> String {
    let (status, answer) = api.post("/v1/agendas", json!({ "agenda": agenda() })).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let lease = api.pull(1, request).await.remove(0);
    let mismatch = json!({ "field": "n", "expected": "int", "found": "1.5" });
    let failure = json!({ "class": "user", "code": "OutputInvalid", "message": "m", "exit_code": 3,
        "log_tail": ["x"], "mismatch": mismatch });
    let operation = |name: &str, state: &str| json!({ "name": name, "type": "t", "state": state, "attempt": 1, "percent": 33.33 });
    let mut wrong = operation("b", "failed");
    wrong["failure"] = failure.clone();
    let report = json!({ "worker": "w", "instance": "i", "reports": [{
        "id": lease.id, "epoch": 1,
        "operations": [operation("a", "executing"), operation("a", "succeeded"), wrong],
        "made": [{ "generator": "a", "operations": [{ "name": "a.0", "type": "t" }] }],
        "logs": [{ "operation": "a", "attempt": 1, "stream": "stdout", "offset": 0, "text": "hi" }],
        "end": { "state": "failed", "failure": failure },
    }]});
    let (status, answer) = api.post("/v1/pools/default/report", report).await;
    assert_eq!((status, &answer["results"]), (StatusCode::OK, &json!(["accepted"])));
    lease.id
}

/// All answers that clients can get.
async fn everything(api: &Api) -> Value {
    let mut told = Vec::new();
    for path in ["customers", "pools", "insights", "templates", "agendas"] {
        told.push(api.get(&format!("/v1/{path}")).await.1);
    }
    for agenda in told[4]["items"].as_array().unwrap().clone() {
        let id = agenda["id"].as_str().unwrap();
        let no = api.app.store.agenda(&AgendaId::from(id)).unwrap().unwrap().header.no;
        let events = api.app.store.events(no, 0, 999).unwrap();
        let events = crate::api::view::events(&AgendaId::from(id), events).unwrap();
        told.extend(events.iter().map(|(_, text)| serde_json::from_str(text).unwrap()));
        told.push(api.get(&format!("/v1/agendas/{id}")).await.1);
        told.push(api.get(&format!("/v1/agendas/{id}/logs")).await.1);
    }
    Value::Array(told)
}

#[tokio::test]
async fn what_a_newer_program_has_added_is_passed_over() {
    let store = Arc::new(SqliteStore::in_memory().unwrap());
    let api = Api::on(store.clone(), Config::default()).await;
    let template = json!({ "agenda": { "operations": [{ "name": "a", "type": "pop.log", "payload": { "message": "m" } }] } });
    assert_eq!(api.put("/v1/templates/greet", template).await.0, StatusCode::CREATED);
    let ended = failed(&api, "r1").await;
    let again = failed(&api, "r2").await;
    let (status, answer) = api.post(&format!("/v1/agendas/{again}/rerun"), json!({ "mode": "all" })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (before, loaded) = (everything(&api).await, store.load().unwrap());
    let text = before.to_string();
    for part in ["\"added\"", "\"again\"", "\"mismatch\"", "33.33", "\"digest\":\"d\""] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }

    store.of_tomorrow();
    assert_eq!(everything(&api).await, before);
    assert_eq!(store.load().unwrap(), loaded);
    let api = Api::on(store, Config::default()).await;
    assert_eq!(everything(&api).await, before);
    let lease = api.pull(1, "r3").await.remove(0);
    assert_eq!(lease.id, again);
    let plan = Plan::new(&lease.agenda).unwrap();
    assert_eq!(plan.steps[0].spec.as_ref().unwrap().command, ["x"]);
    let (status, answer) = api.post(&format!("/v1/agendas/{ended}/rerun"), json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}
