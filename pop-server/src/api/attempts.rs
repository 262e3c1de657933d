//! What an operation's program may say over HTTP while its attempt runs, on a port of the pool that only its machine
//! reaches: `PUT $POP_REPORT_URL/progress`, `/output` and `/failure`, each as the file of that name would have it, with
//! `Authorization: Bearer $POP_TOKEN`. The token is good for that attempt only.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::put;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::extract::{Id, collect};
use super::problem::{Error, Kind};
use crate::runtime::local::desk::{Desk, Unheard, Word};

/// Where the words of an attempt go.
pub(crate) const PATH: &str = "/v1/attempt";

/// Serves until `stop` is cancelled.
pub(crate) async fn serve(listener: TcpListener, desk: Arc<Desk>, stop: CancellationToken) {
    let router = Router::new()
        .route(&format!("{PATH}/{{word}}"), put(take))
        .fallback(super::no_route)
        .method_not_allowed_fallback(super::no_method)
        .with_state(desk);
    let serve = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = serve.await {
        tracing::warn!(%error, "programs can't report over HTTP any more");
    }
}

async fn take(State(desk): State<Arc<Desk>>, Id(word): Id, request: Request) -> Result<StatusCode, Error> {
    let word = match word.as_str() {
        "progress" => Word::Progress,
        "output" => Word::Output,
        "failure" => Word::Failure,
        other => {
            return Err(Error::not_found(format!(
                "a program says its `progress`, its `output` or its `failure`, but no `{other}`"
            )));
        }
    };
    let headers = request.headers();
    let bearer = header(headers, AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer.unwrap_or_default().trim().to_owned();
    let announced = header(headers, CONTENT_LENGTH).and_then(|value| value.parse().ok()).unwrap_or(0);
    if !desk.knows(&token) {
        return Err(stranger());
    }
    let limit = desk.limit(word);
    let bytes = collect(request.into_body(), announced, limit).await?;
    let said = tokio::task::spawn_blocking(move || desk.say(&token, word, &bytes)).await;
    match said.map_err(|_| Error::internal())? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(Unheard::Stranger) => Err(stranger()),
        Err(Unheard::Invalid(why)) => Err(Error::new(Kind::InvalidBody, why)),
        Err(Unheard::Io(error)) => {
            tracing::warn!(%error, "what a program reported can't be kept");
            Err(Error::new(Kind::Unavailable, "it can't be kept at the moment; try again"))
        }
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn stranger() -> Error {
    Error::new(
        Kind::Unauthorized,
        "no attempt that runs has this token; send `Authorization: Bearer $POP_TOKEN`, and only while the attempt runs",
    )
}
