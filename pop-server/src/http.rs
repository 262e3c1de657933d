//! Shared parts of the program's HTTP servers: problem documents, bodies with limits, paths, and answers outside the
//! routes.

pub(crate) mod body;
pub(crate) mod path;
pub(crate) mod problem;

use std::any::Any;

use axum::Router;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

use problem::{Error, Kind};

/// Refuses requests whose host is not this machine. A page in a browser can point its own name at this machine.
pub(crate) fn only_this_machine(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| {
        let host = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
        match host.filter(|host| !is_this_machine(host)) {
            Some(host) => misdirected(host).into_response(),
            None => next.run(request).await,
        }
    }))
}

/// Whether a `Host` header names this machine, with any port.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || name == "[::1]" || name == "127.0.0.1"
}

pub(crate) async fn no_route(uri: Uri) -> Error {
    Error::not_found(format!("path {} does not exist", uri.path()))
}

pub(crate) async fn no_method(method: Method, uri: Uri) -> Error {
    Error::method_not_allowed(format!(
        "{} does not support {method}; use a method of the `allow` header",
        uri.path()
    ))
}

pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    Error::internal().into_response()
}

fn misdirected(host: &str) -> Error {
    Error::new(
        Kind::Misdirected,
        format!(
            "invalid host {host:?}: the server listens on a loopback address. Use localhost, 127.0.0.1 or \
                [::1]"
        ),
    )
}
