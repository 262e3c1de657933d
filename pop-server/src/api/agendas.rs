//! Submit, get, list and cancel agendas.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use pop_compiler::agenda::{Agenda, AgendaTemplate};
use pop_sdk::api::{AgendaView, Page, SubmitRequest, WorkflowRef};
use serde::Deserialize;

use super::extract::{Id, Json, Params, page_size};
use super::problem::{Error, Kind};
use super::{intake, request, templates, view};
use crate::core::command::{Command, Reply, Submit};
use crate::ids::{self, AgendaId, AgendaNo, CustomerId};
use crate::server::{Parts, WriterError};
use crate::store::{Filter, Record};

/// The owner when nobody says one.
const DEFAULT_CUSTOMER: &str = "default";

/// `POST /v1/agendas`
///
/// A client that was made for another version is let in when that changes nothing for it; the server's version runs.
pub(super) async fn submit(
    State(parts): State<Parts>,
    Json(request): Json<SubmitRequest>,
) -> Result<Response, Error> {
    let made_for =
        |request: &SubmitRequest| Some((request.workflow.as_ref()?.name.clone(), request.template.clone()?));
    let client = request.workflow.as_ref().and_then(|workflow| workflow.digest.as_ref());
    let Some((workflow, theirs)) = client.and_then(|_| made_for(&request)) else {
        return submit_as_it_is(&parts, request).await;
    };
    let again = SubmitRequest { agenda: None, template: None, ..request.clone() };
    let error = match submit_as_it_is(&parts, request).await {
        Err(error) if error.may_be_of_another_version() => error,
        answer => return answer,
    };
    let Some((template, digest)) = templates::compatible(&parts, workflow, theirs).await? else {
        return Err(error);
    };
    let workflow = again.workflow.map(|workflow| WorkflowRef { digest: Some(digest), ..workflow });
    match submit_as_it_is(&parts, SubmitRequest { template: Some(template), workflow, ..again }).await {
        // whichever version it is compared with, the key was used for something else
        Err(other) if other.is_reused_key() => Err(error),
        answer => answer,
    }
}

async fn submit_as_it_is(parts: &Parts, request: SubmitRequest) -> Result<Response, Error> {
    let id = ids::agenda();
    // Expanding, checking and printing take time in proportion to the agenda.
    let prepared = tokio::task::spawn_blocking(move || prepare(request, &id));
    let Ok(prepared) = prepared.await else { return Err(Error::internal()) };
    let (submit, theirs) = prepared?;
    if !super::caller().may_see(submit.customer.as_str()) {
        return Err(Error::not_found(format!("customer `{}` does not exist", submit.customer)));
    }
    let (agenda, body) = (Arc::clone(&submit.agenda), Arc::clone(&submit.body));
    if let Some(key) = submit.idempotency_key.clone() {
        let owner = submit.customer.clone();
        if let Some(seen) = parts.read(move |store| store.by_key(&owner, &key)).await? {
            return repeated(parts, seen, &body).await;
        }
    }
    let reply = match parts.writer.call(Command::Submit(Box::new(submit))).await {
        Err(WriterError::Refused(refusal)) => return Err(templates::stale(parts, refusal, theirs).await),
        reply => reply?,
    };
    match reply {
        Reply::Submitted(stored) => {
            let (header, row) = *stored;
            let mut answer = view::agenda(Record { header, row, outputs: None, failure: None });
            answer.operations = agenda.operations.iter().map(view::submitted).collect();
            let location = format!("/v1/agendas/{}", answer.id);
            Ok((StatusCode::CREATED, [(LOCATION, location)], Answer(answer)).into_response())
        }
        Reply::Seen(seen) => repeated(parts, seen, &body).await,
        _ => Err(Error::internal()),
    }
}

/// What to take in; and the client's template, if it says what it was made for.
fn prepare(mut request: SubmitRequest, id: &str) -> Result<(Submit, Option<AgendaTemplate>), Error> {
    let (asked, idempotency_key) = (request.customer.take(), request.idempotency_key.take());
    let made_for = request.workflow.take().and_then(|workflow| Some((workflow.name, workflow.digest?)));
    let theirs = made_for.as_ref().and_then(|_| request.template.clone());
    let mut agenda = intake::prepare(request)?;
    let customer =
        asked.or_else(|| agenda.customer_id.clone()).unwrap_or_else(|| DEFAULT_CUSTOMER.to_owned());
    if !ids::is_valid_name(&customer) {
        return Err(Error::new(Kind::InvalidRequest, format!("`{customer}` can't name a customer")));
    }
    agenda.id = Some(id.to_owned());
    agenda.customer_id = Some(customer.clone());
    let body = serde_json::to_string(&agenda).map_err(|_| Error::internal())?;
    let submit = Submit {
        id: AgendaId::from(id),
        customer: CustomerId::from(customer),
        agenda: Arc::new(agenda),
        body: Arc::from(body),
        idempotency_key,
        made_for,
    };
    Ok((submit, theirs))
}

/// The answer to a submit whose key was seen before: the same agenda, if it asks for the same.
async fn repeated(parts: &Parts, seen: AgendaId, body: &str) -> Result<Response, Error> {
    let id = seen.clone();
    let stored = parts
        .read(move |store| {
            let Some(record) = store.agenda(&id)? else { return Ok(None) };
            store.body(record.header.no)
        })
        .await?;
    let same = stored.is_some_and(|stored| without_id(&stored) == without_id(body));
    if !same {
        return Err(Error::new(
            Kind::KeyReused,
            format!("its key was used for agenda `{seen}`, which is another one; use a new key"),
        ));
    }
    Ok(Answer(load(parts, seen).await?).into_response())
}

fn without_id(body: &str) -> Option<Agenda> {
    let agenda: Agenda = serde_json::from_str(body).ok()?;
    Some(Agenda { id: None, ..agenda })
}

/// `GET /v1/agendas/{id}`
pub(super) async fn get(State(parts): State<Parts>, Id(id): Id) -> Result<Answer<AgendaView>, Error> {
    Ok(Answer(load(&parts, AgendaId::from(id)).await?))
}

pub(super) async fn load(parts: &Parts, id: AgendaId) -> Result<AgendaView, Error> {
    let record = find(parts, &id).await?;
    let no = record.header.no;
    let operations = parts.read(move |store| store.operations(no)).await?;
    let mut answer = view::agenda(record);
    answer.operations = operations.into_iter().map(view::operation).collect();
    Ok(answer)
}

/// The agenda of that id, if the caller may see it.
pub(super) async fn find(parts: &Parts, id: &AgendaId) -> Result<Record, Error> {
    let wanted = id.clone();
    let record = parts.read(move |store| store.agenda(&wanted)).await?;
    record
        .filter(|r| super::caller().may_see(r.header.customer.as_str()))
        .ok_or_else(|| Error::no_agenda(id.as_str()))
}

/// What a list asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    customer: Option<String>,
    state: Option<String>,
    link: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

/// `GET /v1/agendas`
pub(super) async fn list(
    State(parts): State<Parts>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<AgendaView>>, Error> {
    let size = page_size(params.limit)?;
    let before = match params.after {
        Some(cursor) => {
            let no = cursor.parse::<u64>();
            let no = no.map_err(|_| Error::new(Kind::InvalidQuery, "`after` is no cursor of this list"))?;
            Some(AgendaNo(no))
        }
        None => None,
    };
    let filter = Filter {
        customer: super::caller().scope(params.customer),
        state: params.state.as_deref().map(request::state).transpose()?,
        link: params.link,
        before,
        limit: size + 1,
    };
    let mut records = parts.read(move |store| store.agendas(&filter)).await?;
    let more = records.len() > size;
    records.truncate(size);
    let next = records.last().filter(|_| more).map(|r| r.header.no.0.to_string());
    Ok(Answer(Page::new(records.into_iter().map(view::agenda).collect(), next)))
}

/// `POST /v1/agendas/{id}/cancel`
pub(super) async fn cancel(State(parts): State<Parts>, Id(id): Id) -> Result<Answer<AgendaView>, Error> {
    let id = AgendaId::from(id);
    find(&parts, &id).await?;
    match parts.change(Command::Cancel { agenda: id.clone() }).await? {
        // One that has ended stays as it ended.
        Reply::Cancelling | Reply::NotAlive => Ok(Answer(load(&parts, id).await?)),
        _ => Err(Error::internal()),
    }
}
