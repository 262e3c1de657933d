//! Reruns ended agendas.

use axum::Json as Answer;
use axum::extract::State;
use pop_compiler::agenda::Agenda;
use pop_sdk::api::{RerunMode, RerunRequest, RerunResponse};

use super::access::Principal;
use super::agendas::{find, load};
use super::extract::Json;
use crate::api::AppState;
use crate::core::command::{Command, Refusal, Reply};
use crate::core::record::OperationState;
use crate::core::rerun::{Rerun, RerunPlan, closure};
use crate::http::path::Id;
use crate::http::problem::{Error, Kind};
use crate::ids::AgendaId;
use crate::store::{Store, StoreError};

/// `POST /v1/agendas/{id}/rerun`
pub(super) async fn rerun(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
    Json(request): Json<RerunRequest>,
) -> Result<Answer<RerunResponse>, Error> {
    let id = AgendaId::from(id);
    find(&app, &principal.scope, &id).await?;
    let what = what(request)?;
    let wanted = id.clone();
    let prepared = app.read(move |store| prepare(store, &wanted, &what)).await?;
    let again = prepared.ok_or_else(|| Error::no_agenda(id.as_str()))??;
    match app.change(principal.actor, Command::Rerun(Box::new(again))).await? {
        Reply::Rerunning { after, reset } => {
            Ok(Answer(RerunResponse::new(after, reset, load(&app, &principal.scope, id).await?)))
        }
        _ => Err(Error::internal()),
    }
}

fn what(request: RerunRequest) -> Result<Rerun, Error> {
    match request.mode {
        RerunMode::Operations => Ok(Rerun::Operations(request.operations)),
        _ if !request.operations.is_empty() => Err(Error::new(
            Kind::InvalidRequest,
            "`operations` is valid with mode `operations` only. Remove the list, or change the mode",
        )),
        RerunMode::Continue => Ok(Rerun::Continue),
        RerunMode::All => Ok(Rerun::All),
    }
}

/// The stored agenda with the plan of its rerun; none if the agenda does not exist.
fn prepare(
    store: &dyn Store,
    id: &AgendaId,
    what: &Rerun,
) -> Result<Option<Result<RerunPlan, Refusal>>, StoreError> {
    let Some(stored) = store.live(id)? else { return Ok(None) };
    let no = stored.header.no;
    let corrupt = |e: serde_json::Error| StoreError::Corrupt { column: "body", why: e.to_string() };
    let Some(body) = store.body(no)? else { return Ok(None) };
    let mut agenda: Agenda = serde_json::from_str(&body).map_err(corrupt)?;
    for operation in store.generated(no)? {
        agenda.operations.push(serde_json::from_str(&operation).map_err(corrupt)?);
    }
    let mut states = vec![OperationState::Waiting; stored.operations.len()];
    for row in &stored.changed {
        if let Some(state) = states.get_mut(row.position as usize) {
            *state = row.state;
        }
    }
    let reason = match what {
        Rerun::Continue => "rerun: operations that had not succeeded".to_owned(),
        Rerun::All => "rerun: all operations".to_owned(),
        Rerun::Operations(names) => format!("rerun: from `{}`", names.join("`, `")),
    };
    let closure = closure(&agenda, stored.row.state, &states, what);
    Ok(Some(closure.map(|closure| RerunPlan { stored, closure, reason })))
}
