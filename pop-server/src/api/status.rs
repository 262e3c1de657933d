//! The server's condition.

use axum::extract::State;

use super::AppState;
use crate::http::problem::{Error, Kind};

/// `GET /healthz`
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: whether the server can take work now, or the reason why not.
pub(super) async fn ready(State(app): State<AppState>) -> Result<&'static str, Error> {
    match app.engine.health.trouble() {
        None => Ok("ready\n"),
        Some(why) => Err(Error::new(Kind::Unavailable, why)),
    }
}
