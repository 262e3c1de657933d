//! A server without a port, and its test client.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use jiff::Timestamp;
use pop_sdk::api::{
    AgendaState, Lease, OperationState, OperationView, PullRequest, PullResponse, ReportResponse,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::api::AppState;
use crate::env::{Env, ManualClock};
use crate::serve::Config;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) app: AppState,
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::on(Arc::new(SqliteStore::in_memory().unwrap()), Config::default()).await
    }

    pub(crate) async fn on(store: Arc<dyn Store>, config: Config) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_800_000_000).unwrap()));
        let env = Env { clock: clock.clone(), ..config.env };
        let config = Config { env, ..config };
        let (app, _thread) = crate::serve::build(&config, store, CancellationToken::new()).await.unwrap();
        Self { router: crate::api::router(app.clone()), clock, app }
    }

    /// Sends a request; returns the status, the content type and the body.
    pub(crate) async fn raw(&self, request: Request<Body>) -> (StatusCode, String, Vec<u8>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let kind = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        (status, kind.unwrap_or_default(), body)
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
        let (status, kind, body) = self.raw(request.body(body).unwrap()).await;
        assert_eq!(kind.contains("problem"), status.is_client_error() || status.is_server_error(), "{kind}");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn typed<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> T {
        let (status, answer) = self.post(path, serde_json::to_value(body).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        serde_json::from_value(answer).unwrap()
    }

    /// Submits an agenda with one operation `a`, and returns the agenda's id.
    pub(crate) async fn submit(&self, customer: &str) -> String {
        let (status, answer) =
            self.post("/v1/agendas", json!({ "customer": customer, "agenda": agenda() })).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn pull(&self, count: u32, request: &str) -> Vec<Lease> {
        let pull = PullRequest {
            worker: "w".into(),
            instance: "i".into(),
            insight: None,
            count,
            wait_ms: 0,
            request: request.into(),
        };
        self.typed::<_, PullResponse>("/v1/pools/default/pull", &pull).await.leases
    }

    /// Reports the success of `a` and of its agenda.
    pub(crate) async fn finish(&self, lease: &Lease) {
        let done = OperationView {
            name: "a".into(),
            state: OperationState::Succeeded,
            attempt: 1,
            output: Some(json!({ "n": 1 })),
            ..OperationView::default()
        };
        let report = json!({ "worker": "w", "instance": "i", "reports": [{
            "id": lease.id, "epoch": lease.epoch, "operations": [done],
            "end": { "state": AgendaState::Succeeded, "outputs": { "n": 1 } },
        }]});
        let answer: ReportResponse = self.typed("/v1/pools/default/report", &report).await;
        assert_eq!(answer.results, [pop_sdk::api::ReportResult::Accepted]);
    }
}

pub(crate) fn agenda() -> Value {
    json!({ "title": "t", "operations": [{ "name": "a", "type": "pop.log", "payload": { "message": "hi" } }] })
}
