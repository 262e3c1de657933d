//! HTTP: routes, extractors, problem documents, streams. Nobody else knows HTTP; nothing here decides anything that the
//! core or the compiler could.

mod agendas;
mod error;
mod events;
mod extract;
mod findings;
pub(crate) mod in_process;
mod intake;
mod logs;
mod pools;
mod request;
mod rerun;
mod settings;
mod state;
mod templates;
mod view;
mod visibility;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post, put};
use tower_http::catch_panic::CatchPanicLayer;

use crate::http::problem::{Error, Kind};
use crate::http::{no_method, no_route, panicked};
pub(crate) use state::{AppState, Limits};
use visibility::Caller;

/// All routes.
pub(crate) fn router(app: AppState) -> Router {
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
        .with_state(app)
}

/// Whether work can be handed to this server now; if not, why.
async fn ready(State(app): State<AppState>) -> Result<&'static str, Error> {
    match app.engine.health.trouble() {
        None => Ok("ready\n"),
        Some(why) => Err(Error::new(Kind::Unavailable, why)),
    }
}

/// Who asks. There is no authentication yet: everybody is the operator.
fn caller() -> Caller {
    Caller::Operator
}
