//! Faults of an API server that a real one does not produce on request: an answer that is lost.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use tokio::sync::Notify;

use super::*;
use crate::runtime::conformance::begin;
use crate::runtime::kubernetes::cluster::Cluster;

/// The only pod of a server that creates it without an answer.
#[derive(Debug, Default)]
struct Server {
    exists: AtomicBool,
    deleted: AtomicBool,
    /// Notified for each deletion; one watch tells it.
    gone: Notify,
    name: Mutex<String>,
}

fn pod(name: &str) -> Value {
    json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": name, "uid": "u1", "resourceVersion": "2",
            "labels": {"pop.dev/agenda": "ag_1", "pop.dev/attempt": "1"},
            "annotations": {"pop.dev/operation-name": "op"},
        },
        "spec": {"containers": []},
    })
}

impl Server {
    async fn answer(self: Arc<Self>, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let (path, query) =
            (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
        let status = |code: u16, reason: &str| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": reason});
            (code, status)
        };
        let (code, body) = match (request.method(), path.as_str()) {
            (_, path) if path.ends_with("/selfsubjectaccessreviews") => {
                (201, json!({"spec": {}, "status": {"allowed": true}}))
            }
            (&Method::GET, path) if path.ends_with("/pods") && query.contains("watch=") => {
                self.gone.notified().await;
                let name = self.name.lock().unwrap().clone();
                (200, json!({"type": "DELETED", "object": pod(&name)}))
            }
            (&Method::GET, path) if path.ends_with("/pods") => (
                200,
                json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}),
            ),
            (&Method::POST, path) if path.ends_with("/pods") => {
                self.exists.store(true, Ordering::SeqCst);
                status(504, "Timeout")
            }
            (&Method::GET, path) if self.exists.load(Ordering::SeqCst) => {
                let name = path.rsplit('/').next().unwrap_or_default();
                name.clone_into(&mut self.name.lock().unwrap());
                (200, pod(name))
            }
            (&Method::DELETE, _) => {
                self.deleted.store(true, Ordering::SeqCst);
                self.exists.store(false, Ordering::SeqCst);
                self.gone.notify_one();
                (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
            }
            _ => status(404, "NotFound"),
        };
        let body = Body::from(serde_json::to_vec(&body).unwrap());
        Ok(Response::builder().status(code).body(body).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_creation_got_no_answer_ends_before_its_attempt() {
    let server = Arc::new(Server::default());
    let answering = Arc::clone(&server);
    let service = tower::service_fn(move |request| Arc::clone(&answering).answer(request));
    let cluster = Arc::new(Cluster::over(Client::new(service, "n"), "n".to_owned()));
    let farm =
        Farm { access: Access::default(), namespace: "n".to_owned(), folder: tempfile::tempdir().unwrap() };
    let runtime = Kubernetes::over(farm.config(), cluster).await.unwrap();
    let mut started =
        begin(&runtime, crate::runtime::conformance::attempt_of("op", 1, script("true"), json!({})));
    started.until(|signal| matches!(signal, Signal::Waiting { .. })).await;
    started.stop.terminate();
    let told = started.end().await;
    assert_eq!(told.failure().code, "Stopped");
    assert!(server.deleted.load(Ordering::SeqCst), "the pod exists although its creation seemed to fail");
}
