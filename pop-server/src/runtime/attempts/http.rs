//! Reports of programs over HTTP, on a port of the pool that only its machine reaches: `PUT $POP_REPORT_URL/progress`,
//! `/output` and `/failure`. The body has the format of the file of that name, and the header is `Authorization: Bearer
//! $POP_TOKEN`. The token is valid for one attempt.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::put;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Registry, ReportError, ReportKind};
use crate::http::body::collect;
use crate::http::path::Id;
use crate::http::problem::{Error, Kind};
use crate::http::{no_method, no_route};

/// The path of an attempt's reports.
pub(crate) const PATH: &str = "/v1/attempt";

/// Serves until `stop` is cancelled.
pub(crate) async fn serve(listener: TcpListener, registry: Arc<Registry>, stop: CancellationToken) {
    let router = Router::new()
        .route(&format!("{PATH}/{{kind}}"), put(take))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(registry);
    let serve = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = serve.await {
        tracing::warn!(%error, "the server for reports of programs stopped");
    }
}

async fn take(
    State(registry): State<Arc<Registry>>,
    Id(kind): Id,
    request: Request,
) -> Result<StatusCode, Error> {
    let kind = match kind.as_str() {
        "progress" => ReportKind::Progress,
        "output" => ReportKind::Output,
        "failure" => ReportKind::Failure,
        other => {
            return Err(Error::not_found(format!(
                "unknown report `{other}`: use `progress`, `output` or `failure`"
            )));
        }
    };
    let headers = request.headers();
    let bearer = header(headers, AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer.unwrap_or_default().trim().to_owned();
    let announced = header(headers, CONTENT_LENGTH).and_then(|value| value.parse().ok()).unwrap_or(0);
    if !registry.knows(&token) {
        return Err(unauthorized());
    }
    let limit = registry.limit(kind);
    let bytes = collect(request.into_body(), announced, limit).await?;
    let kept = tokio::task::spawn_blocking(move || registry.report(&token, kind, &bytes)).await;
    match kept.map_err(|_| Error::internal())? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(ReportError::Unauthorized) => Err(unauthorized()),
        Err(ReportError::Invalid(why)) => Err(Error::new(Kind::InvalidBody, why)),
        Err(ReportError::Io(error)) => {
            tracing::warn!(%error, "could not store a program's report");
            Err(Error::new(Kind::Unavailable, "could not store the report (disk error); retry"))
        }
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn unauthorized() -> Error {
    Error::new(
        Kind::Unauthorized,
        "no running attempt has this token. Send `Authorization: Bearer $POP_TOKEN` while the attempt runs",
    )
}
