//! Reading requests: bodies, queries and paths, with a problem document for everything that can be wrong with them.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request;
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use super::problem::{Error, Kind};
use crate::server::Parts;

/// Bodies longer than this are parsed away from the threads that serve requests.
const INLINE: usize = 64 << 10;
/// Of a body that is too large, this much is read and dropped, so that the client gets to read the answer.
const DRAIN: usize = 1 << 30;
/// A body may take so long.
const BODY: Duration = Duration::from_mins(10);
/// And each part of it.
const SILENCE: Duration = Duration::from_secs(30);
/// And for so long.
const DRAIN_FOR: Duration = Duration::from_secs(20);

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned + Send + 'static> FromRequest<Parts> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, parts: &Parts) -> Result<Self, Error> {
        if !is_json(&request) {
            return Err(Error::new(
                Kind::UnsupportedMediaType,
                "send JSON, with the header `content-type: application/json`",
            ));
        }
        let limit = parts.body_limit;
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

/// The whole body, as long as it keeps coming.
pub(super) async fn collect(body: Body, announced: usize, limit: usize) -> Result<Vec<u8>, Error> {
    match tokio::time::timeout(BODY, gather(body, announced, limit)).await {
        Ok(result) => result,
        Err(_) => {
            Err(Error::new(Kind::Timeout, format!("the body took longer than {} seconds", BODY.as_secs())))
        }
    }
}

async fn gather(body: Body, announced: usize, limit: usize) -> Result<Vec<u8>, Error> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::with_capacity(announced.min(limit).min(1 << 20));
    let mut too_large = announced > limit;
    while !too_large {
        let Ok(next) = tokio::time::timeout(SILENCE, stream.next()).await else {
            let seconds = SILENCE.as_secs();
            return Err(Error::new(Kind::Timeout, format!("nothing of the body came for {seconds} seconds")));
        };
        let Some(chunk) = next else { break };
        let chunk = chunk.map_err(|_| Error::new(Kind::MalformedBody, "the body ended too early"))?;
        too_large = bytes.len() + chunk.len() > limit;
        if !too_large {
            bytes.extend_from_slice(&chunk);
        }
    }
    if !too_large {
        return Ok(bytes);
    }
    drop(bytes);
    let drain = async {
        let mut dropped = 0;
        while dropped < DRAIN
            && let Some(Ok(chunk)) = stream.next().await
        {
            dropped += chunk.len();
        }
    };
    // Either way the answer is the same.
    let _ = tokio::time::timeout(DRAIN_FOR, drain).await;
    Err(Error::new(Kind::BodyTooLarge, format!("the body is larger than the limit of {limit} bytes")))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        let kind = if error.is_data() { Kind::InvalidBody } else { Kind::MalformedBody };
        if bytes.is_empty() {
            return Error::new(kind, "the body is empty; it must be JSON");
        }
        // The text ends with "at line … column …".
        Error::new(kind, error.to_string())
    })
}

/// The query's parameters.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Parts> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(request: &mut request::Parts, _: &Parts) -> Result<Self, Error> {
        let query = Query::<T>::try_from_uri(&request.uri)
            .map_err(|rejection| Error::new(Kind::InvalidQuery, rejection.body_text()))?;
        Ok(Self(query.0))
    }
}

/// The one part of the path that is not fixed.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Error;

    async fn from_request_parts(request: &mut request::Parts, state: &S) -> Result<Self, Error> {
        match Path::<String>::from_request_parts(request, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(rejection) => Err(Error::new(Kind::InvalidQuery, rejection.body_text())),
        }
    }
}

/// How many items a page has when the query does not say.
const PAGE: usize = 100;
/// And at most.
const LONGEST_PAGE: usize = 1000;

/// The number of items to read for a page.
pub(super) fn page_size(limit: Option<usize>) -> Result<usize, Error> {
    match limit {
        None => Ok(PAGE),
        Some(limit @ 1..=LONGEST_PAGE) => Ok(limit),
        Some(limit) => Err(Error::new(
            Kind::InvalidQuery,
            format!("`limit` is {limit}; it goes from 1 to {LONGEST_PAGE}"),
        )),
    }
}
