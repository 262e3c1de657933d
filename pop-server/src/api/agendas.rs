//! Submits, shows, lists and cancels agendas.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use pop_compiler::agenda::{Agenda, AgendaTemplate};
use pop_sdk::api::{AgendaView, Page, SubmitRequest, WorkflowRef};
use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Principal;
use super::extract::{Json, Params, page_size};
use super::{intake, request, templates, view};
use crate::api::AppState;
use crate::core::access::Scope;
use crate::core::command::{Command, Facts, Reply, Submit};
use crate::engine::EngineError;
use crate::http::path::Id;
use crate::http::problem::{Error, Kind};
use crate::ids::{self, AgendaId, AgendaNo, CustomerId};
use crate::store::{Filter, Record};

/// The owner of an agenda without a customer.
const DEFAULT_CUSTOMER: &str = "default";

/// `POST /v1/agendas`
///
/// A client of another version is accepted if the server's version is compatible; then the server's version runs.
pub(super) async fn submit(
    State(app): State<AppState>,
    principal: Principal,
    Json(request): Json<SubmitRequest>,
) -> Result<Response, Error> {
    let made_for =
        |request: &SubmitRequest| Some((request.workflow.as_ref()?.name.clone(), request.template.clone()?));
    let client = request.workflow.as_ref().and_then(|workflow| workflow.digest.as_ref());
    let Some((workflow, theirs)) = client.and_then(|_| made_for(&request)) else {
        return submit_as_it_is(&app, &principal, request).await;
    };
    let customer = customer_of(&request);
    let again = SubmitRequest { agenda: None, template: None, ..request.clone() };
    let error = match submit_as_it_is(&app, &principal, request).await {
        Err(error) if error.may_be_of_another_version() => error,
        answer => return answer,
    };
    let Some((template, digest)) = templates::compatible(&app, customer, workflow, theirs).await? else {
        return Err(error);
    };
    let workflow = again.workflow.map(|workflow| WorkflowRef { digest: Some(digest), ..workflow });
    match submit_as_it_is(&app, &principal, SubmitRequest { template: Some(template), workflow, ..again })
        .await
    {
        // Neither version matches the agenda of this key, so the first error stands.
        Err(other) if other.is_reused_key() => Err(error),
        answer => answer,
    }
}

async fn submit_as_it_is(
    app: &AppState,
    principal: &Principal,
    request: SubmitRequest,
) -> Result<Response, Error> {
    let id = app.env.agenda_id();
    // The time of expanding, checking and printing grows with the agenda, so another thread does this work.
    let prepared = tokio::task::spawn_blocking(move || prepare(request, id.as_str()));
    let Ok(prepared) = prepared.await else { return Err(Error::internal()) };
    let (submit, agenda, theirs) = prepared?;
    principal.check(&submit.customer)?;
    let body = Arc::clone(&submit.body);
    if let Some(key) = submit.idempotency_key.clone() {
        let owner = submit.customer.clone();
        if let Some(seen) = app.read(move |store| store.by_key(&owner, &key)).await? {
            return repeated(app, &principal.scope, seen, &body).await;
        }
    }
    let reply = match app.engine.writer.call(principal.actor.clone(), Command::Submit(Box::new(submit))).await
    {
        Err(EngineError::Refused(refusal)) => return Err(templates::stale(app, refusal, theirs).await),
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
        Reply::Seen(seen) => repeated(app, &principal.scope, seen, &body).await,
        _ => Err(Error::internal()),
    }
}

/// The owner that a request names in its outer fields.
fn customer_of(request: &SubmitRequest) -> CustomerId {
    let template = request.template.as_ref().and_then(|template| template.agenda.customer_id.as_deref());
    CustomerId::from(request.customer.as_deref().or(template).unwrap_or(DEFAULT_CUSTOMER))
}

/// The submission, its agenda, and the template of a client that names its workflow.
type Prepared = (Submit, Agenda, Option<AgendaTemplate>);

fn prepare(mut request: SubmitRequest, id: &str) -> Result<Prepared, Error> {
    let (asked, idempotency_key) = (request.customer.take(), request.idempotency_key.take());
    let made_for = request.workflow.take().and_then(|workflow| Some((workflow.name, workflow.digest?)));
    let theirs = made_for.as_ref().and_then(|_| request.template.clone());
    let mut agenda = intake::prepare(request)?;
    let customer =
        asked.or_else(|| agenda.customer_id.clone()).unwrap_or_else(|| DEFAULT_CUSTOMER.to_owned());
    if !ids::is_valid_name(&customer) {
        return Err(Error::new(
            Kind::InvalidRequest,
            format!(
                "invalid customer name `{customer}`: use 1 to \
            128 characters without white space, `/`, `?` and `#`"
            ),
        ));
    }
    agenda.id = Some(id.to_owned());
    agenda.customer_id = Some(customer.clone());
    let body = serde_json::to_string(&agenda).map_err(|_| Error::internal())?;
    let submit = Submit {
        id: AgendaId::from(id),
        customer: CustomerId::from(customer),
        facts: Facts::of(&agenda),
        body: Arc::from(body),
        idempotency_key,
        made_for,
    };
    Ok((submit, agenda, theirs))
}

/// The answer for a known key: the earlier agenda, if the request asks for the same agenda.
async fn repeated(app: &AppState, scope: &Scope, seen: AgendaId, body: &str) -> Result<Response, Error> {
    let id = seen.clone();
    let stored = app
        .read(move |store| {
            let Some(record) = store.agenda(&id)? else { return Ok(None) };
            store.body(record.header.no)
        })
        .await?;
    let same = stored.is_some_and(|stored| without_id(&stored) == without_id(body));
    if !same {
        return Err(Error::new(
            Kind::KeyReused,
            format!("idempotency key already used for a different agenda (`{seen}`); use a new key"),
        ));
    }
    Ok(Answer(load(app, scope, seen).await?).into_response())
}

fn without_id(body: &str) -> Option<Agenda> {
    let agenda: Agenda = serde_json::from_str(body).ok()?;
    Some(Agenda { id: None, ..agenda })
}

/// `GET /v1/agendas/{id}`
pub(super) async fn get(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
) -> Result<Answer<AgendaView>, Error> {
    Ok(Answer(load(&app, &principal.scope, AgendaId::from(id)).await?))
}

pub(super) async fn load(app: &AppState, scope: &Scope, id: AgendaId) -> Result<AgendaView, Error> {
    let record = find(app, scope, &id).await?;
    let no = record.header.no;
    let operations = app.read(move |store| store.operations(no)).await?;
    let mut answer = view::agenda(record);
    answer.operations = operations.into_iter().map(view::operation).collect();
    Ok(answer)
}

/// Finds an agenda in the caller's scope.
pub(super) async fn find(app: &AppState, scope: &Scope, id: &AgendaId) -> Result<Record, Error> {
    let wanted = id.clone();
    let record = app.read(move |store| store.agenda(&wanted)).await?;
    record
        .filter(|record| scope.contains(record.header.customer.as_str()))
        .ok_or_else(|| Error::no_agenda(id.as_str()))
}

/// The query of a list of agendas.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// Only agendas of this customer.
    customer: Option<String>,
    /// Only agendas in this state.
    state: Option<String>,
    /// Only agendas with this link.
    link: Option<String>,
    /// Largest number of agendas: 1 to 1000.
    limit: Option<usize>,
    /// The `next` of the previous page.
    after: Option<String>,
}

/// `GET /v1/agendas`
pub(super) async fn list(
    State(app): State<AppState>,
    principal: Principal,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<AgendaView>>, Error> {
    let size = page_size(params.limit)?;
    let before = match params.after {
        Some(cursor) => {
            let no = cursor.parse::<u64>();
            let no = no.map_err(|_| {
                Error::new(
                    Kind::InvalidQuery,
                    "invalid cursor in `after`; use the `next` value of the previous page",
                )
            })?;
            Some(AgendaNo(no))
        }
        None => None,
    };
    let filter = Filter {
        scope: principal.scope.narrowed(params.customer.as_deref()),
        state: params.state.as_deref().map(request::state).transpose()?,
        link: params.link,
        before,
        limit: size + 1,
    };
    let mut records = app.read(move |store| store.agendas(&filter)).await?;
    let more = records.len() > size;
    records.truncate(size);
    let next = records.last().filter(|_| more).map(|r| r.header.no.0.to_string());
    Ok(Answer(Page::new(records.into_iter().map(view::agenda).collect(), next)))
}

/// `POST /v1/agendas/{id}/cancel`
pub(super) async fn cancel(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
) -> Result<Answer<AgendaView>, Error> {
    let id = AgendaId::from(id);
    find(&app, &principal.scope, &id).await?;
    match app.change(principal.actor, Command::Cancel { agenda: id.clone() }).await? {
        // An agenda that has ended keeps its state.
        Reply::Cancelling | Reply::NotAlive => Ok(Answer(load(&app, &principal.scope, id).await?)),
        _ => Err(Error::internal()),
    }
}
