//! Lists the logs of an agenda's operations.

use axum::Json as Answer;
use axum::extract::State;
use pop_sdk::api::{LogChunk, Page};
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Principal;
use super::agendas::find;
use super::extract::{Params, page_size};
use super::view;
use crate::api::AppState;
use crate::http::path::Id;
use crate::http::problem::{Error, Kind};
use crate::ids::AgendaId;

/// The query of a list of log chunks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogParams {
    /// Only the log of this operation.
    operation: Option<String>,
    /// Largest number of chunks: 1 to 1000.
    limit: Option<usize>,
    /// The `next` of the previous page.
    after: Option<String>,
}

/// `GET /v1/agendas/{id}/logs`
pub(super) async fn list(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
    Params(params): Params<LogParams>,
) -> Result<Answer<Page<LogChunk>>, Error> {
    let size = page_size(params.limit)?;
    let after = match params.after {
        Some(cursor) => {
            let position = cursor.parse::<i64>();
            position.map_err(|_| {
                Error::new(
                    Kind::InvalidQuery,
                    "invalid cursor in `after`; use the `next` value of the previous page",
                )
            })?
        }
        None => 0,
    };
    let record = find(&app, &principal.scope, &AgendaId::from(id)).await?;
    let no = record.header.no;
    let mut chunks =
        app.read(move |store| store.logs(no, params.operation.as_deref(), after, size + 1)).await?;
    let more = chunks.len() > size;
    chunks.truncate(size);
    let next = chunks.last().filter(|_| more).map(|(position, _)| position.to_string());
    Ok(Answer(Page::new(chunks.into_iter().map(|(_, chunk)| view::log(chunk)).collect(), next)))
}
