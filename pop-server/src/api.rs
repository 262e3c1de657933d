//! HTTP: routes, extractors, problem documents, streams. Nobody else knows HTTP; nothing here decides anything that the
//! core or the compiler could.

mod agendas;
pub(crate) mod attempts;
mod events;
mod extract;
mod findings;
pub(crate) mod in_process;
mod intake;
mod logs;
mod pools;
mod problem;
mod request;
mod rerun;
mod settings;
mod templates;
mod view;
mod visibility;

#[cfg(test)]
mod tests;

use std::any::Any;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use tower_http::catch_panic::CatchPanicLayer;

use crate::core::command::{Command, Reply};
use crate::server::Parts;
use crate::store::{Store, StoreError};
use problem::Error;
use visibility::Caller;

/// All routes.
pub(crate) fn router(parts: Parts) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/v1/agendas", post(agendas::submit).get(agendas::list))
        .route("/v1/agendas/{id}", get(agendas::get))
        .route("/v1/agendas/{id}/cancel", post(agendas::cancel))
        .route("/v1/agendas/{id}/rerun", post(rerun::rerun))
        .route("/v1/agendas/{id}/events", get(events::stream))
        .route("/v1/agendas/{id}/logs", get(logs::list))
        .route("/v1/customers", get(settings::list_customers))
        .route("/v1/pools", get(settings::list_pools))
        .route("/v1/insights", get(settings::list_insights))
        .route(
            "/v1/customers/{id}",
            put(settings::put_customer).get(settings::get_customer).delete(settings::delete_customer),
        )
        .route(
            "/v1/pools/{id}",
            put(settings::put_pool).get(settings::get_pool).delete(settings::delete_pool),
        )
        .route(
            "/v1/insights/{id}",
            put(settings::put_insight).get(settings::get_insight).delete(settings::delete_insight),
        )
        .route("/v1/templates", get(templates::list))
        .route("/v1/templates/{id}", put(templates::put).get(templates::get).delete(templates::delete))
        .route("/v1/pools/{id}/attach", post(pools::attach))
        .route("/v1/pools/{id}/pull", post(pools::pull))
        .route("/v1/pools/{id}/renew", post(pools::renew))
        .route("/v1/pools/{id}/report", post(pools::report))
        .route("/v1/pools/{id}/release", post(pools::release))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(parts)
}

/// Whether work can be handed to this server now; if not, why.
async fn ready(State(parts): State<Parts>) -> Result<&'static str, Error> {
    match parts.health.trouble() {
        None => Ok("ready\n"),
        Some(why) => Err(Error::new(problem::Kind::Unavailable, why)),
    }
}

/// Refuses requests by other names than this machine's: a page in a browser that had its own name point here.
pub(crate) fn only_this_machine(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| {
        let host = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
        match host.filter(|host| !is_this_machine(host)) {
            Some(host) => Error::misdirected(host).into_response(),
            None => next.run(request).await,
        }
    }))
}

/// Whether a `Host` header names this machine; the port does not matter.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || name == "[::1]" || name == "127.0.0.1"
}

async fn no_route(uri: Uri) -> Error {
    Error::not_found(format!("there is nothing at {}", uri.path()))
}

async fn no_method(method: Method, uri: Uri) -> Error {
    Error::method_not_allowed(format!(
        "{} does not take {method}; the header `allow` names what it takes",
        uri.path()
    ))
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    Error::internal().into_response()
}

/// Who asks. There is no authentication yet: everybody is the operator.
fn caller() -> Caller {
    Caller::Operator
}

impl Parts {
    /// Reads from the store, away from the threads that serve requests.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        // It is never closed.
        let turns = std::sync::Arc::clone(&self.reads);
        let Ok(turn) = turns.acquire_owned().await else { return Err(Error::internal()) };
        let store = std::sync::Arc::clone(&self.store);
        let read = move || {
            let _turn = turn;
            read(store.as_ref())
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Error::internal()),
        }
    }

    /// Changes the state through the core.
    async fn change(&self, command: Command) -> Result<Reply, Error> {
        Ok(self.writer.call(command).await?)
    }
}
