//! Reads the bodies, queries and paths of requests. Every fault becomes a problem document.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request;
use serde::de::DeserializeOwned;

use super::AppState;
use crate::http::body::collect;
use crate::http::problem::{Error, Kind};

/// Length in bytes above which a body is parsed on another thread, not on a thread that serves requests.
const INLINE: usize = 64 << 10;
/// A request's JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned + Send + 'static> FromRequest<AppState> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Error> {
        if !is_json(&request) {
            return Err(Error::new(
                Kind::UnsupportedMediaType,
                "send JSON, with the header `content-type: application/json`",
            ));
        }
        let limit = app.limits.body;
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse::<usize>().ok());
        let bytes = collect(request.into_body(), announced.unwrap_or(0), limit).await?;
        if bytes.len() <= INLINE {
            return parse(&bytes).map(Self);
        }
        match tokio::task::spawn_blocking(move || parse(&bytes)).await {
            Ok(result) => result.map(Self),
            Err(_) => Err(Error::internal()),
        }
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    // Structs are read from arrays, too, field by field; no client means that.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Error::new(
            Kind::InvalidBody,
            "invalid body: expected a JSON object, found an array at line 1",
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let kind = if error.is_data() { Kind::InvalidBody } else { Kind::MalformedBody };
        if bytes.is_empty() {
            return Error::new(kind, "the body is empty. Send a JSON document");
        }
        // The error's text ends with "at line … column …".
        Error::new(kind, error.to_string())
    })
}

/// The parameters of a request's query.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(request: &mut request::Parts, _: &AppState) -> Result<Self, Error> {
        let query = Query::<T>::try_from_uri(&request.uri).map_err(|rejection| {
            let text = rejection.body_text();
            let why = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            Error::new(Kind::InvalidQuery, format!("invalid query: {why}"))
        })?;
        Ok(Self(query.0))
    }
}

/// Number of items on a page, unless the query names a number.
const PAGE: usize = 100;
/// Largest number of items on a page.
const LONGEST_PAGE: usize = 1000;

/// The number of items to read for a page.
pub(super) fn page_size(limit: Option<usize>) -> Result<usize, Error> {
    match limit {
        None => Ok(PAGE),
        Some(limit @ 1..=LONGEST_PAGE) => Ok(limit),
        Some(limit) => Err(Error::new(
            Kind::InvalidQuery,
            format!("invalid `limit` {limit}: use a number from 1 to {LONGEST_PAGE}"),
        )),
    }
}
