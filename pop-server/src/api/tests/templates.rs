//! Templates, outdated clients, and reruns of agendas.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::fixture::Api;

/// A template of the workflow `greet` with these inputs.
fn template(properties: &Value, required: &Value) -> Value {
    json!({
        "params": { "pop.inputs": { "type": "object", "properties": properties, "required": required,
            "additionalProperties": false } },
        "agenda": {
            "params": { "pop.workflow": { "name": "greet", "version": "1.0.0", "digest": "whatever it says" } },
            "operations": [{ "name": "a", "type": "pop.log", "payload": { "message": "@<pop.payload::/name?>" } }],
        },
    })
}

fn first() -> Value {
    template(&json!({ "name": { "type": "string" } }), &json!(["name"]))
}

fn second() -> Value {
    template(
        &json!({ "name": { "type": "string" }, "loud": { "type": "boolean" } }),
        &json!(["name", "loud"]),
    )
}

/// A submit request of a client of this template.
fn made_for(template: &Value, digest: &Value, key: &str) -> Value {
    json!({ "template": template, "inputs": { "name": "Ada" }, "idempotency_key": key,
        "workflow": { "name": "greet", "digest": digest } })
}

async fn digest(api: &Api, template: Value) -> Value {
    let (status, view) = api.put("/v1/templates/greet", template).await;
    assert!(status.is_success(), "{view}");
    view["digest"].clone()
}

#[tokio::test]
async fn templates_are_kept_listed_and_removed() {
    let api = Api::new().await;
    let (status, view) = api.put("/v1/templates/greet", first()).await;
    assert_eq!((status, &view["version"]), (StatusCode::CREATED, &json!("1.0.0")));
    assert_eq!(api.put("/v1/templates/greet", first()).await, (StatusCode::OK, view.clone()));
    assert_eq!(api.get("/v1/templates/greet").await, (StatusCode::OK, first()));
    assert_eq!(api.get("/v1/templates").await.1, json!({ "items": [view] }));
    assert_eq!(api.call(Method::DELETE, "/v1/templates/greet", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(api.get("/v1/templates/greet").await.0, StatusCode::NOT_FOUND);
    assert_eq!(api.call(Method::DELETE, "/v1/templates/greet", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_template_with_faults_is_not_kept() {
    let api = Api::new().await;
    let (status, problem) = api.put("/v1/templates/other", first()).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/invalid-request"))
    );
    let mut broken = first();
    broken["agenda"]["operations"][0]["payload"] = json!("@<nobody.out::/x>");
    let (status, problem) = api.put("/v1/templates/greet", broken).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/problems/invalid-template"))
    );
    assert_eq!(problem["diagnostics"][0]["operation"], "a");
}

#[tokio::test]
async fn a_client_that_was_made_for_another_version_is_refused() {
    let api = Api::new().await;
    let old = digest(&api, first()).await;
    let (status, accepted) = api.post("/v1/agendas", made_for(&first(), &old, "one")).await;
    assert_eq!(status, StatusCode::CREATED, "{accepted}");
    let new = digest(&api, second()).await;
    assert_ne!(old, new);

    let (status, problem) = api.post("/v1/agendas", made_for(&first(), &old, "two")).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("/problems/stale-client")));
    let change =
        json!({ "verdict": "breaking", "at": "inputs/loud", "message": "added as required: `bool`" });
    assert_eq!(problem["stale"], json!({ "workflow": "greet", "digest": new, "changes": [change] }));
    // An accepted key stays accepted, and a request without a workflow is not checked.
    let (status, again) = api.post("/v1/agendas", made_for(&first(), &old, "one")).await;
    assert_eq!((status, &again["id"]), (StatusCode::OK, &accepted["id"]));
    let mut silent = made_for(&first(), &old, "three");
    silent.as_object_mut().unwrap().remove("workflow");
    assert_eq!(api.post("/v1/agendas", silent).await.0, StatusCode::CREATED);
    // Without a template on the server, the client's template runs.
    api.call(Method::DELETE, "/v1/templates/greet", None).await;
    assert_eq!(api.post("/v1/agendas", made_for(&first(), &old, "four")).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_client_for_which_nothing_is_different_is_let_in() {
    let api = Api::new().await;
    let old = digest(&api, first()).await;
    let (_, before) = api.post("/v1/agendas", made_for(&first(), &old, "before")).await;
    let mut newer = first();
    newer["agenda"]["operations"][0]["params"] = json!({ "pop.timeout": "2h" });
    newer["params"]["pop.inputs"]["properties"]["note"] = json!({ "type": ["string", "null"] });
    let new = digest(&api, newer).await;

    let (status, accepted) = api.post("/v1/agendas", made_for(&first(), &old, "one")).await;
    assert_eq!(status, StatusCode::CREATED, "{accepted}");
    assert_ne!(old, new);
    let timeouts = api.pull(2, "r1").await.into_iter().map(|lease| {
        let timeout = lease.agenda.operations[0].params.get("pop.timeout").cloned();
        (json!(lease.id), timeout)
    });
    let expected = [(before["id"].clone(), None), (accepted["id"].clone(), Some(json!("2h")))];
    assert_eq!(timeouts.collect::<Vec<_>>(), expected, "the server's version runs");
    // A retry is the same submission, whichever template the server had at first.
    for (key, id) in [("one", &accepted["id"]), ("before", &before["id"])] {
        let (status, again) = api.post("/v1/agendas", made_for(&first(), &old, key)).await;
        assert_eq!((status, &again["id"]), (StatusCode::OK, id), "{key}");
    }
    let mut other = made_for(&first(), &old, "one");
    other["inputs"]["name"] = json!("Grace");
    let (status, problem) = api.post("/v1/agendas", other).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::CONFLICT, &json!("/problems/idempotency-key-reused"))
    );
}

async fn rerun(api: &Api, id: &str, body: Value) -> (StatusCode, Value) {
    api.post(&format!("/v1/agendas/{id}/rerun"), body).await
}

#[tokio::test]
async fn an_ended_agenda_runs_again() {
    let api = Api::new().await;
    let id = api.submit("default").await;
    let (status, problem) = rerun(&api, &id, json!({})).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("/problems/not-ended")));
    let lease = api.pull(1, "r1").await.remove(0);
    api.finish(&lease).await;
    for (body, status, kind) in [
        (json!({}), 409, "nothing-to-run"),
        (json!({ "mode": "operations" }), 422, "invalid-request"),
        (json!({ "mode": "operations", "operations": ["b"] }), 422, "invalid-request"),
        (json!({ "mode": "all", "operations": ["a"] }), 422, "invalid-request"),
        (json!({ "mode": "some" }), 422, "invalid-body"),
    ] {
        let (found, problem) = rerun(&api, &id, body.clone()).await;
        assert_eq!(
            (found.as_u16(), problem["type"].as_str().unwrap()),
            (status, &*format!("/problems/{kind}")),
            "{body}"
        );
    }
    let (status, answer) = rerun(&api, &id, json!({ "mode": "operations", "operations": ["a"] })).await;
    assert_eq!((status, &answer["reset"]), (StatusCode::OK, &json!(["a"])));
    assert_eq!((&answer["agenda"]["state"], &answer["agenda"]["outputs"]), (&json!("queued"), &Value::Null));
    let lease = api.pull(1, "r2").await.remove(0);
    assert_eq!((lease.epoch, lease.progress[0].attempt), (2, 1), "attempts go on counting");
    assert_eq!(rerun(&api, "ag_nothing", json!({})).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_stream_says_when_nothing_follows() {
    let api = Api::new().await;
    let id = api.submit("default").await;
    let lease = api.pull(1, "r1").await.remove(0);
    api.finish(&lease).await;
    let stream = async |after: u64| {
        let request = Request::get(format!("/v1/agendas/{id}/events")).header("last-event-id", after);
        String::from_utf8(api.raw(request.body(Body::empty()).unwrap()).await.2).unwrap()
    };
    let end = "event: end\ndata: {}\n\n";
    let all = stream(0).await;
    assert!(all.ends_with(end) && all.matches("event: end").count() == 1, "{all}");
    let last = all.matches("id: ").count() as u64;
    assert_eq!(stream(last).await, end);
    // After a rerun, the stream continues behind the first end.
    rerun(&api, &id, json!({ "mode": "all" })).await;
    let lease = api.pull(1, "r2").await.remove(0);
    let report = json!({ "worker": "w", "instance": "i", "reports": [{ "id": id, "epoch": lease.epoch,
        "operations": [{ "name": "a", "type": "pop.log", "state": "failed", "attempt": 2, "percent": 0.0 }],
        "end": { "state": "failed" } }] });
    assert_eq!(api.post("/v1/pools/default/report", report).await.0, StatusCode::OK);
    let all = stream(0).await;
    assert!(all.contains("succeeded") && all.contains("failed") && all.ends_with(end), "{all}");
    assert_eq!(all.matches("event: end").count(), 1);
}

#[tokio::test]
async fn a_template_matters_to_its_owner_and_to_nobody_else() {
    let api = Api::new().await;
    for customer in ["acme", "beta"] {
        api.put(&format!("/v1/customers/{customer}"), json!({ "pool": "default" })).await;
    }
    let old = digest(&api, first()).await;
    api.call(Method::DELETE, "/v1/templates/greet", None).await;
    let (status, view) = api.put("/v1/templates/greet?customer=acme", second()).await;
    assert_eq!((status, &view["customer"]), (StatusCode::CREATED, &json!("acme")));
    let submit = |customer: &str| {
        let mut request = made_for(&first(), &old, customer);
        request["customer"] = json!(customer);
        request
    };
    let (status, problem) = api.post("/v1/agendas", submit("acme")).await;
    assert_eq!((status, &problem["stale"]["digest"]), (StatusCode::CONFLICT, &view["digest"]));
    assert_eq!(api.post("/v1/agendas", submit("beta")).await.0, StatusCode::CREATED);
    // A customer's own template comes before the template of all customers.
    digest(&api, second()).await;
    let (status, _) = api.put("/v1/templates/greet?customer=acme", first()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(api.post("/v1/agendas", submit("acme")).await.0, StatusCode::CREATED);
    assert_eq!(api.get("/v1/templates?customer=acme").await.1["items"].as_array().unwrap().len(), 1);
    // No other customer has the template, and the template goes with its customer.
    assert_eq!(api.get("/v1/templates/greet?customer=beta").await.0, StatusCode::NOT_FOUND);
    let (status, problem) = api.put("/v1/templates/greet?customer=nobody", first()).await;
    assert_eq!((status, &problem["type"]), (StatusCode::NOT_FOUND, &json!("/problems/unknown-customer")));
    let (status, _) = api.call(Method::PUT, "/v1/customers/gamma", Some(json!({ "pool": "default" }))).await;
    assert_eq!(status, StatusCode::CREATED);
    api.put("/v1/templates/greet?customer=gamma", first()).await;
    api.call(Method::DELETE, "/v1/customers/gamma", None).await;
    assert_eq!(api.get("/v1/templates/greet?customer=gamma").await.0, StatusCode::NOT_FOUND);
}
