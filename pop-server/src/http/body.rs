//! Reads the body of a request, with limits on its size and its time.

use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt as _;

use super::problem::{Error, Kind};

/// Bytes of a too large body that are read and dropped, so that the client can read the answer.
const DRAIN: usize = 1 << 30;
/// Longest time for a whole body.
const BODY: Duration = Duration::from_mins(10);
/// Longest time between two parts of a body.
const SILENCE: Duration = Duration::from_secs(30);
/// Longest time for dropping a too large body.
const DRAIN_FOR: Duration = Duration::from_secs(20);

/// Reads the whole body while data arrives. `announced` is the length in the request's header.
pub(crate) async fn collect(body: Body, announced: usize, limit: usize) -> Result<Vec<u8>, Error> {
    match tokio::time::timeout(BODY, gather(body, announced, limit)).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(
            Kind::Timeout,
            format!(
                "the body was not complete after {} seconds. Send the request again, or a smaller body",
                BODY.as_secs()
            ),
        )),
    }
}

async fn gather(body: Body, announced: usize, limit: usize) -> Result<Vec<u8>, Error> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::with_capacity(announced.min(limit).min(1 << 20));
    let mut too_large = announced > limit;
    while !too_large {
        let Ok(next) = tokio::time::timeout(SILENCE, stream.next()).await else {
            let seconds = SILENCE.as_secs();
            return Err(Error::new(
                Kind::Timeout,
                format!("no data of the body arrived for {seconds} seconds. Send the request again"),
            ));
        };
        let Some(chunk) = next else { break };
        let chunk = chunk.map_err(|_| {
            Error::new(
                Kind::MalformedBody,
                "could not read the whole body: the stream failed. Send the request again",
            )
        })?;
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
    // The answer does not depend on the outcome.
    let _ = tokio::time::timeout(DRAIN_FOR, drain).await;
    Err(Error::new(
        Kind::BodyTooLarge,
        format!("the body exceeds the limit of {limit} bytes. Send a smaller body"),
    ))
}
