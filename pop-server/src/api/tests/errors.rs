//! Each error: its status, its kind of problem, and a server that goes on.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::get;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;

use super::fixture::{Api, agenda};
use crate::core::access::Actor;
use crate::core::command::Command;
use crate::engine::EngineError;
use crate::serve::Config;
use crate::store::faulty::Faulty;
use crate::store::sqlite::SqliteStore;

fn kind(problem: &Value) -> &str {
    problem["type"].as_str().unwrap().strip_prefix("/problems/").unwrap()
}

async fn post_raw(api: &Api, content_type: &str, body: Vec<u8>) -> (StatusCode, Value) {
    let request = Request::post("/v1/agendas").header("content-type", content_type).body(Body::from(body));
    let (status, kind, body) = api.raw(request.unwrap()).await;
    assert_eq!(kind, "application/problem+json");
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn routes_and_methods() {
    let api = Api::new().await;
    let (status, problem) = api.get("/v2/agendas").await;
    assert_eq!((status, kind(&problem)), (StatusCode::NOT_FOUND, "not-found"));
    let response = api
        .router
        .clone()
        .oneshot(Request::delete("/v1/agendas").body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    let allow = response.headers()["allow"].to_str().unwrap();
    assert!(allow.contains("POST") && allow.contains("GET"), "{allow}");
    let (status, problem) = api.call(Method::PATCH, "/v1/pools/default", None).await;
    assert_eq!((status, kind(&problem)), (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"));
}

#[tokio::test]
async fn bodies() {
    let config = Config { body_limit: 2000, ..Config::default() };
    let api = Api::on(Arc::new(SqliteStore::in_memory().unwrap()), config).await;
    let json = "application/json";
    for (content_type, body, status, name, says) in [
        (json, b"{\n  \"agenda\": }".to_vec(), 400, "malformed-body", "line 2 column 13"),
        (json, b"{\"agenda\": {".to_vec(), 400, "malformed-body", "line 1"),
        (json, Vec::new(), 400, "malformed-body", "empty"),
        (json, vec![0xff, 0xfe], 400, "malformed-body", "line 1"),
        (json, vec![b'['; 1500], 422, "invalid-body", "line 1"),
        (json, b"{\"agenda\": 3}".to_vec(), 422, "invalid-body", "line 1 column 12"),
        (json, b" [\"acme\"]".to_vec(), 422, "invalid-body", "expected a JSON object, found an array"),
        (json, b"{\"agendas\": {}}".to_vec(), 422, "invalid-body", "unknown field `agendas`"),
        (json, vec![b' '; 3000], 413, "body-too-large", "2000 bytes"),
        ("text/plain", b"{}".to_vec(), 415, "unsupported-media-type", "application/json"),
        ("application/x-www-form-urlencoded", b"a=1".to_vec(), 415, "unsupported-media-type", "content-type"),
    ] {
        let (got, problem) = post_raw(&api, content_type, body).await;
        assert_eq!((got.as_u16(), kind(&problem)), (status, name), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    api.submit("default").await;
}

#[tokio::test]
async fn agendas_with_faults() {
    let api = Api::new().await;
    let operation = |name: &str, needs: &str| json!({ "name": name, "type": "pop.log", "payload": { "message": format!("@<{needs}.out::/x>") } });
    let cycle = json!({ "agenda": { "operations": [operation("a", "b"), operation("b", "a")] } });
    let (status, problem) = api.post("/v1/agendas", cycle).await;
    assert_eq!((status, kind(&problem)), (StatusCode::UNPROCESSABLE_ENTITY, "invalid-agenda"));
    let found = &problem["diagnostics"][0];
    assert_eq!(found["rule"], "cycle", "{problem}");
    assert!(found["pointer"].as_str().unwrap().starts_with('/'), "{found}");

    let empty = json!({ "agenda": { "operations": [] } });
    assert_eq!(api.post("/v1/agendas", empty).await.1["diagnostics"][0]["rule"], "empty-workflow");
    for body in [
        json!({}),
        json!({ "agenda": agenda(), "template": { "agenda": agenda() } }),
        json!({ "agenda": agenda(), "inputs": {} }),
        json!({ "agenda": agenda(), "customer": "a b" }),
    ] {
        let (status, problem) = api.post("/v1/agendas", body.clone()).await;
        assert_eq!((status.as_u16(), kind(&problem)), (422, "invalid-request"), "{body}");
    }
    assert!(api.get("/v1/agendas").await.1["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn labels_that_forge_what_is_shown() {
    let api = Api::new().await;
    let forged = "x\nag_0000  succeeded\u{1b}]52;c;ZXZpbA==\u{7}";
    let stamp = json!({ "pop.workflow": { "name": forged } });
    for (change, kind_of, says) in [
        (json!({ "linkId": forged }), "invalid-request", r"`linkId`: `x\nag_0000  succeeded\u{1b}"),
        (json!({ "params": stamp }), "invalid-request", "`name`"),
        (json!({ "operations": [{ "name": forged, "type": "t" }] }), "invalid-agenda", "control character"),
        (json!({ "operations": [{ "name": "a", "type": forged }] }), "invalid-agenda", "control character"),
    ] {
        let mut agenda = agenda();
        agenda.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, problem) = api.post("/v1/agendas", json!({ "agenda": agenda })).await;
        assert_eq!((status.as_u16(), kind(&problem)), (422, kind_of), "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says) && !detail.contains('\u{1b}'), "{detail}");
    }
}

#[tokio::test]
async fn customers_and_insights_that_do_not_fit() {
    let api = Api::new().await;
    let (status, problem) = api.post("/v1/agendas", json!({ "customer": "x", "agenda": agenda() })).await;
    assert_eq!((status, kind(&problem)), (StatusCode::NOT_FOUND, "unknown-customer"));
    assert!(problem["detail"].as_str().unwrap().contains("PUT /v1/customers/x"), "{problem}");

    let picky = json!({ "pool": "default", "mappers": { "operationType": ["media.encode"] } });
    api.put("/v1/insights/default", picky).await;
    let (status, problem) = api.post("/v1/agendas", json!({ "agenda": agenda() })).await;
    assert_eq!((status, kind(&problem)), (StatusCode::NOT_FOUND, "no-insight"));
    assert!(problem["detail"].as_str().unwrap().contains("no operation has the type `media.encode`"));

    for (path, body, says) in [
        ("/v1/insights/i", json!({ "pool": "default", "mappers": { "paramMap": ["k="] } }), "`k=`"),
        ("/v1/insights/i", json!({ "pool": "default", "mappers": { "typo": ["k"] } }), "`typo`"),
        ("/v1/insights/i", json!({ "pool": "nowhere" }), "`nowhere`"),
        ("/v1/customers/c", json!({}), "`pool` is missing"),
        ("/v1/customers/c", json!({ "id": "d", "pool": "default" }), "`d`"),
        ("/v1/pools/a%20b", json!({}), "`a b`"),
        ("/v1/pools/a", json!({ "titel": "x" }), "unknown field `titel`, expected `id` or `title`"),
        ("/v1/customers/c", json!({ "pool": "default", "titel": "x" }), "unknown field `titel`"),
        ("/v1/insights/i", json!({ "pool": "default", "titel": "x" }), "unknown field `titel`"),
        (
            "/v1/insights/i",
            json!({ "pool": "default", "algorithm": "lottery" }),
            "unknown algorithm `lottery`; use one of `fifo`, `roundRobin`",
        ),
        ("/v1/pools/a", json!({ "title": "x\u{7}" }), "control character"),
    ] {
        let (status, problem) = api.put(path, body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
}

#[tokio::test]
async fn queries_and_ids() {
    let api = Api::new().await;
    for path in [
        "/v1/agendas?limit=0",
        "/v1/agendas?limit=5000",
        "/v1/agendas?limit=x",
        "/v1/agendas?state=done",
        "/v1/agendas?after=x",
        "/v1/agendas?color=red",
        "/v1/pools/%FF",
    ] {
        let (status, problem) = api.get(path).await;
        assert_eq!((status, kind(&problem)), (StatusCode::BAD_REQUEST, "invalid-query"), "{path}");
    }
    for path in ["/v1/agendas/ag_x", "/v1/agendas/ag_x/events", "/v1/agendas/ag_x/logs", "/v1/customers/x"] {
        assert_eq!(api.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(api.post("/v1/agendas/ag_x/cancel", Value::Null).await.0, StatusCode::NOT_FOUND);
    let id = api.submit("default").await;
    let request = Request::get(format!("/v1/agendas/{id}/events")).header("Last-Event-ID", "x");
    assert_eq!(api.raw(request.body(Body::empty()).unwrap()).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn names_that_the_server_does_not_know_are_refused() {
    let api = Api::new().await;
    let (_, problem) = api.get("/v1/agendas?state=paused").await;
    let states = "use one of `ready`, `queued`, `leased`, `executing`, `succeeded`, `failed`, `cancelled`";
    assert_eq!(problem["detail"], format!("unknown state `paused`; {states}"));
    api.submit("default").await;
    let lease = api.pull(1, "r").await.remove(0);
    let id = &lease.id;
    let operation = |state: &str, class: &str| {
        json!({ "name": "a", "type": "t", "state": state, "attempt": 1, "percent": 0,
        "failure": { "class": class, "code": "C", "message": "m" } })
    };
    for (operation, end, says) in [
        (operation("frozen", "user"), None, "operation `a`: unknown state"),
        (operation("failed", "weather"), None, "operation `a`: unknown failure class"),
        (operation("failed", "user"), Some(json!({ "state": "paused" })), "unknown state"),
    ] {
        let report = json!({ "worker": "w", "instance": "i", "reports": [
            { "id": id, "epoch": 1, "operations": [operation], "end": end },
        ]});
        let (status, problem) = api.post("/v1/pools/default/report", report).await;
        assert_eq!(
            (status, kind(&problem)),
            (StatusCode::UNPROCESSABLE_ENTITY, "invalid-request"),
            "{problem}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("report about agenda `{id}`: {says}")), "{detail}");
        assert!(detail.contains("; use one of `"), "{detail}");
    }
    assert_eq!(api.get(&format!("/v1/agendas/{id}")).await.1["state"], "leased", "nothing of it is stored");
}

#[tokio::test]
async fn pool_calls() {
    let api = Api::new().await;
    let pull = |count: u32, insight: Option<&str>, worker: &str| {
        let mut body = json!({ "worker": worker, "instance": "i", "count": count, "request": "r" });
        if let Some(insight) = insight {
            body["insight"] = json!(insight);
        }
        body
    };
    for (path, body, status, name) in [
        ("/v1/pools/x/pull", pull(1, None, "w"), 404, "unknown-pool"),
        ("/v1/pools/default/pull", pull(0, None, "w"), 422, "invalid-request"),
        ("/v1/pools/default/pull", pull(1, Some("x"), "w"), 404, "unknown-insight"),
        ("/v1/pools/default/pull", pull(1, None, ""), 422, "invalid-request"),
        ("/v1/pools/default/pull", pull(1, None, "a\u{1b}[2J"), 422, "invalid-request"),
        ("/v1/pools/default/pull", pull(1, None, &"x".repeat(129)), 422, "invalid-request"),
        ("/v1/pools/x/release", json!({ "worker": "w", "instance": "i", "leases": [] }), 404, "unknown-pool"),
        ("/v1/pools/x/attach", json!({ "worker": "w", "instance": "i" }), 404, "unknown-pool"),
        ("/v1/pools/x/report", json!({ "worker": "w", "instance": "i", "reports": [] }), 404, "unknown-pool"),
    ] {
        let (got, problem) = api.post(path, body).await;
        assert_eq!((got.as_u16(), kind(&problem)), (status, name), "{path}");
    }
    let id = api.submit("default").await;
    api.pull(1, "r").await;
    let early = json!({ "worker": "w", "instance": "i", "reports": [{ "id": id, "epoch": 1, "end": { "state": "succeeded" } }] });
    let (status, problem) = api.post("/v1/pools/default/report", early).await;
    assert_eq!((status.as_u16(), kind(&problem)), (422, "invalid-request"));
}

#[tokio::test]
async fn a_panic_in_a_handler_is_a_problem() {
    async fn boom() -> &'static str {
        panic!("boom")
    }
    let router = Router::new().route("/", get(boom)).layer(CatchPanicLayer::custom(crate::api::panicked));
    let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn a_failed_commit_tells_nobody_done() {
    let store = Arc::new(Faulty::new(SqliteStore::in_memory().unwrap()));
    let api = Api::on(store.clone(), Config::default()).await;
    let id = api.submit("default").await;
    store.set_broken(true);
    for _ in 0..3 {
        let (status, problem) = api.post("/v1/agendas", json!({ "agenda": agenda() })).await;
        assert_eq!((status, kind(&problem)), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    }
    assert_eq!(api.get(&format!("/v1/agendas/{id}")).await.0, StatusCode::OK, "reads go on");
    store.set_broken(false);
    let next = api.submit("default").await;
    let leases = api.pull(10, "r").await;
    let ids: Vec<&str> = leases.iter().map(|l| l.id.as_str()).collect();
    assert_eq!(ids, [id, next], "what failed has left nothing behind");
}

#[tokio::test]
async fn a_panic_in_the_core_spoils_one_command_only() {
    let api = Api::new().await;
    let id = api.submit("default").await;
    assert_eq!(api.app.engine.writer.call(Actor::Operator, Command::Panic).await, Err(EngineError::Broken));
    assert_eq!(api.pull(10, "r").await[0].id, id);
}
