//! The HTTP API: the table of routes and their handlers. The API makes no decision that the core or the compiler can
//! make.

mod access;
mod agendas;
mod error;
mod events;
mod extract;
mod findings;
pub(crate) mod in_process;
mod intake;
mod logs;
mod openapi;
mod pools;
mod request;
mod rerun;
mod routes;
mod settings;
mod state;
mod status;
mod templates;
mod view;

#[cfg(test)]
mod tests;

use axum::Router;
use tower_http::catch_panic::CatchPanicLayer;

use crate::http::{no_method, no_route, panicked};
pub(crate) use state::{AppState, Limits};

/// The router of all routes.
pub(crate) fn router(app: AppState) -> Router {
    routes::router(&app)
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app)
}
