//! Saves, shows and removes templates.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use pop_compiler::agenda::{AgendaTemplate, keys};
use pop_compiler::diagnostic::has_errors;
use pop_compiler::diff::{self, Verdict};
use pop_compiler::validate;
use pop_sdk::api::{Change, Page, Stale, TemplateView};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::access::Principal;
use super::extract::{Json, Params, page_size};
use super::view;
use crate::api::AppState;
use crate::core::access::Scope;
use crate::core::command::{Command, PutTemplate, Refusal, Reply};
use crate::core::record::TemplateHeader;
use crate::http::path::Id;
use crate::http::problem::{Error, Kind};
use crate::ids::CustomerId;
use crate::store::{Store, StoreError};

/// Longest name, in characters.
const LONGEST_NAME: usize = 256;
/// Largest number of differences in an answer.
const MOST_CHANGES: usize = 100;

/// `PUT /v1/templates/{name}`
pub(super) async fn put(
    State(app): State<AppState>,
    principal: Principal,
    Params(params): Params<OwnerParams>,
    Id(name): Id,
    Json(template): Json<AgendaTemplate>,
) -> Result<Response, Error> {
    let owner = params.owner_to_change(&principal)?;
    let prepared = tokio::task::spawn_blocking(move || prepare(owner, name, &template)).await;
    let Ok(prepared) = prepared else { return Err(Error::internal()) };
    let put = prepared?;
    let view = view::template(put.header.clone());
    match app.change(principal.actor, Command::PutTemplate(Box::new(put))).await? {
        Reply::Created => Ok((StatusCode::CREATED, Answer(view)).into_response()),
        Reply::Updated => Ok(Answer(view).into_response()),
        _ => Err(Error::internal()),
    }
}

fn prepare(
    customer: Option<CustomerId>,
    name: String,
    template: &AgendaTemplate,
) -> Result<PutTemplate, Error> {
    let header = template.agenda.params.get(keys::WORKFLOW);
    let text = |key: &str| header.and_then(|h| h.get(key)).and_then(Value::as_str);
    if let Some(own) = text("name").filter(|own| *own != name) {
        let detail = format!(
            "conflicting names: `{name}` in the path, `{own}` in the template. Use the \
            workflow's name in both"
        );
        return Err(Error::new(Kind::InvalidRequest, detail));
    }
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        let detail =
            format!("invalid template name: use 1 to {LONGEST_NAME} bytes without control characters");
        return Err(Error::new(Kind::InvalidRequest, detail));
    }
    let findings = validate::template(template);
    if has_errors(&findings) {
        let names: Vec<String> = template.agenda.operations.iter().map(|o| o.name.clone()).collect();
        return Err(Error::findings(Kind::InvalidTemplate, &findings, &names));
    }
    let body = serde_json::to_string(template).map_err(|_| Error::internal())?;
    let version = text("version").map(str::to_owned);
    let header = TemplateHeader { customer, name, version, digest: template.digest() };
    Ok(PutTemplate { header, body: Arc::from(body) })
}

/// `GET /v1/templates/{name}`
pub(super) async fn get(
    State(app): State<AppState>,
    principal: Principal,
    Params(params): Params<OwnerParams>,
    Id(name): Id,
) -> Result<Response, Error> {
    let owner = params.owner_to_read(&principal)?;
    let missing = Error::not_found(format!("template `{name}` does not exist"));
    let text = app.read(move |store| store.template(owner.as_ref(), &name)).await?.ok_or(missing)?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

/// `DELETE /v1/templates/{name}`
pub(super) async fn delete(
    State(app): State<AppState>,
    principal: Principal,
    Params(params): Params<OwnerParams>,
    Id(name): Id,
) -> Result<StatusCode, Error> {
    let owner = params.owner_to_change(&principal)?;
    app.change(principal.actor, Command::DeleteTemplate { customer: owner, name }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The query that names a template's owner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnerParams {
    /// Customer that owns the template; without a customer, the template belongs to all customers.
    customer: Option<String>,
}

impl OwnerParams {
    /// The owner for a read. A customer's template needs a caller who may see the customer; every caller may read a
    /// template of all customers.
    fn owner_to_read(self, principal: &Principal) -> Result<Option<CustomerId>, Error> {
        let owner = self.customer.map(CustomerId::from);
        owner.as_ref().map(|customer| principal.check(customer)).transpose()?;
        Ok(owner)
    }

    /// The owner for a change. A template of all customers needs a caller who may see all customers.
    fn owner_to_change(self, principal: &Principal) -> Result<Option<CustomerId>, Error> {
        let owner = self.owner_to_read(principal)?;
        if owner.is_none() && principal.scope != Scope::All {
            return Err(Error::new(
                Kind::Forbidden,
                "changing a template of all customers needs access to all customers; name one customer with ?customer=",
            ));
        }
        Ok(owner)
    }
}

/// The query of a list of templates.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// Customer that owns the templates; without a customer, the list has the templates of all customers.
    customer: Option<String>,
    /// Largest number of templates: 1 to 1000.
    limit: Option<usize>,
    /// The `next` of the previous page.
    after: Option<String>,
}

/// `GET /v1/templates`
pub(super) async fn list(
    State(app): State<AppState>,
    principal: Principal,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<TemplateView>>, Error> {
    let owner = OwnerParams { customer: params.customer }.owner_to_read(&principal)?;
    let size = page_size(params.limit)?;
    let after = params.after.unwrap_or_default();
    let mut items = app.read(move |store| store.templates(owner.as_ref(), &after, size + 1)).await?;
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|header| header.name.clone());
    let items = items.into_iter().map(view::template).collect();
    Ok(Answer(Page::new(items, next)))
}

/// The server's template of a workflow and its digest, if a client with the template `theirs` is compatible.
pub(super) async fn compatible(
    app: &AppState,
    customer: CustomerId,
    workflow: String,
    theirs: AgendaTemplate,
) -> Result<Option<(AgendaTemplate, String)>, Error> {
    let Some(text) = app.read(move |store| meant(store, &customer, &workflow)).await? else {
        return Ok(None);
    };
    let compare = move || {
        let ours = serde_json::from_str::<AgendaTemplate>(&text).ok()?;
        let worst = diff::diff(&theirs, &ours).into_iter().map(|change| change.verdict).max();
        let digest = ours.digest();
        worst.is_none_or(|worst| worst == Verdict::Compatible).then_some((ours, digest))
    };
    // The time of a comparison grows with the templates, so another thread compares them.
    tokio::task::spawn_blocking(compare).await.map_err(|_| Error::internal())
}

/// The error for a client of another template, with the differences.
pub(super) async fn stale(app: &AppState, refusal: Refusal, theirs: Option<AgendaTemplate>) -> Error {
    let Refusal::Stale { customer, workflow, digest } = &refusal else { return refusal.into() };
    let mut stale = Stale::new(workflow.clone(), digest.clone(), Vec::new());
    if let Some(theirs) = theirs {
        let (owner, name) = (customer.clone(), workflow.clone());
        let text = match app.read(move |store| store.template(owner.as_ref(), &name)).await {
            Ok(text) => text.unwrap_or_default(),
            Err(error) => return error,
        };
        // The time of a comparison grows with the templates, so another thread compares them.
        let changes = tokio::task::spawn_blocking(move || changes(&theirs, &text)).await;
        stale.changes = changes.unwrap_or_default();
    }
    Error::new(Kind::StaleClient, refusal.to_string()).with_stale(stale)
}

/// The template for a customer's clients: the customer's own, or else the template of all customers.
fn meant(store: &dyn Store, customer: &CustomerId, workflow: &str) -> Result<Option<String>, StoreError> {
    match store.template(Some(customer), workflow)? {
        None => store.template(None, workflow),
        own => Ok(own),
    }
}

fn changes(theirs: &AgendaTemplate, ours: &str) -> Vec<Change> {
    let Ok(ours) = serde_json::from_str::<AgendaTemplate>(ours) else { return Vec::new() };
    let told =
        |change: diff::Change| Change::new(change.verdict.as_str().to_owned(), change.at, change.message);
    diff::diff(theirs, &ours).into_iter().take(MOST_CHANGES).map(told).collect()
}
