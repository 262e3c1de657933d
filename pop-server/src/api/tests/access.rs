//! The permissions of each route, generated from the table of routes. Callers see nothing of other customers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use super::fixture::{Api, agenda};
use crate::api::access::{Authenticate, Permission, Principal, Role};
use crate::api::routes::{Route, routes};
use crate::core::access::{Actor, Scope};
use crate::http::problem::{Error, Kind};
use crate::ids::CustomerId;

const ROLES: [(&str, Role); 6] = [
    ("viewer", Role::Viewer),
    ("submitter", Role::Submitter),
    ("manager", Role::Manager),
    ("operator", Role::Operator),
    ("admin", Role::Admin),
    ("pool", Role::Pool),
];

/// Trusts a header: `role` or `role customer customer`.
#[derive(Debug)]
struct Believes;

impl Authenticate for Believes {
    fn principal(&self, headers: &HeaderMap) -> Result<Principal, Error> {
        let claim = headers.get("x-as").and_then(|value| value.to_str().ok());
        let mut words = claim.ok_or_else(|| Error::new(Kind::Unauthorized, "who are you?"))?.split(' ');
        let name = words.next().unwrap();
        let (_, role) = ROLES.into_iter().find(|(known, _)| *known == name).unwrap();
        let customers: BTreeSet<CustomerId> = words.map(CustomerId::from).collect();
        let scope = if customers.is_empty() { Scope::All } else { Scope::Customers(customers) };
        Ok(Principal { actor: Actor::Operator, role, scope })
    }
}

async fn api() -> Api {
    let api = Api::new().await;
    for customer in ["own", "other"] {
        let (status, _) = api.put(&format!("/v1/customers/{customer}"), json!({ "pool": "default" })).await;
        assert_eq!(status, StatusCode::CREATED);
    }
    api
}

/// The same server with authentication by this header.
fn guarded(api: &Api) -> Api {
    let app = api.app.clone().with(Arc::new(Believes));
    Api { router: crate::api::router(app.clone()), clock: Arc::clone(&api.clock), app }
}

async fn call(
    api: &Api,
    who: Option<&str>,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(who) = who {
        request = request.header("x-as", who);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let (status, _, answer) = api.raw(request.body(body).unwrap()).await;
    (status, serde_json::from_slice(&answer).unwrap_or(Value::Null))
}

#[tokio::test]
async fn each_route_lets_those_roles_through_that_may() {
    let api = guarded(&api().await);
    for Route { method, path, name, permission, .. } in routes() {
        let (method, path) = (method.as_str().to_uppercase(), path.replace("{id}", "nothing"));
        let (status, _) = call(&api, None, &method, &path, None).await;
        assert_eq!(status == StatusCode::UNAUTHORIZED, permission != Permission::Public, "{name}: {status}");
        for (who, role) in ROLES {
            let (status, problem) = call(&api, Some(who), &method, &path, None).await;
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{name}");
            assert_eq!(status == StatusCode::FORBIDDEN, !role.may(permission), "{name} as {who}: {status}");
            if status == StatusCode::FORBIDDEN {
                assert_eq!(problem["type"], "/problems/forbidden");
            }
        }
    }
}

#[test]
fn names_of_routes_tell_them_apart() {
    let names: Vec<&str> = routes().iter().map(|route| route.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for route in routes() {
        let (thing, verb) = route.name.split_once('.').unwrap();
        assert!(!thing.is_empty() && !verb.is_empty());
        assert!(route.about.ends_with('.') && !route.gives.is_empty(), "{}", route.name);
    }
}

#[tokio::test]
async fn what_belongs_to_others_does_not_exist() {
    let open = api().await;
    let (own, other) = (open.submit("own").await, open.submit("other").await);
    let api = guarded(&open);
    let who = Some("manager own");
    for Route { method, path, name, permission, .. } in routes() {
        if !path.starts_with("/v1/agendas/{id}")
            || !matches!(permission, Permission::Read | Permission::Submit)
        {
            continue;
        }
        let method = method.as_str().to_uppercase();
        let body = (method == "POST").then(|| json!({}));
        let at = |id: &str| path.replace("{id}", id);
        let (hidden, mut told) = call(&api, who, &method, &at(&other), body.clone()).await;
        let (missing, never) = call(&api, who, &method, &at("ag_never"), body.clone()).await;
        assert_eq!((hidden, missing), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{name}");
        told["detail"] = told["detail"].as_str().unwrap().replace(&other, "ag_never").into();
        assert_eq!(told, never, "{name}");
        if !path.ends_with("/events") {
            let (status, _) = call(&api, who, &method, &at(&own), body).await;
            assert_ne!(status, StatusCode::NOT_FOUND, "{name}");
        }
    }
    let list = |path: &'static str| async {
        call(&api, who, "GET", path, None).await.1["items"].as_array().unwrap().len()
    };
    assert_eq!(list("/v1/agendas").await, 1);
    assert_eq!(list("/v1/agendas?customer=own").await, 1);
    assert_eq!(list("/v1/agendas?customer=other").await, 0);
    let submission = |customer: &str| Some(json!({ "customer": customer, "agenda": agenda() }));
    assert_eq!(call(&api, who, "POST", "/v1/agendas", submission("own")).await.0, StatusCode::CREATED);
    let (hidden, told) = call(&api, who, "POST", "/v1/agendas", submission("other")).await;
    let (missing, never) = call(&api, who, "POST", "/v1/agendas", submission("never")).await;
    assert_eq!((hidden, missing), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert_eq!(told["type"], never["type"]);
}
