//! Creates, changes, shows and removes customers, pools and insights.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pop_sdk::api::{Customer, Insight, Page, Pool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Principal;
use super::extract::{Json, Params, page_size};
use super::request::{self, Strict};
use super::view::Shown;
use crate::api::AppState;
use crate::core::command::{Command, Reply};
use crate::http::path::Id;
use crate::http::problem::{Error, Kind as Problem};
use crate::ids::{CustomerId, InsightId, PoolId};

/// The query of a list of settings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// Largest number of items: 1 to 1000.
    limit: Option<usize>,
    /// The `next` of the previous page.
    after: Option<String>,
}

/// `PUT /v1/customers/{id}`
pub(super) async fn put_customer(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
    Json(Strict(mut body)): Json<Strict<Customer>>,
) -> Result<Response, Error> {
    same_id(&id, &mut body.id)?;
    put(&app, principal, Command::PutCustomer(request::customer(body.clone())), &body).await
}

/// `PUT /v1/pools/{id}`
pub(super) async fn put_pool(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
    Json(Strict(mut body)): Json<Strict<Pool>>,
) -> Result<Response, Error> {
    same_id(&id, &mut body.id)?;
    put(&app, principal, Command::PutPool(request::pool(body.clone())), &body).await
}

/// `PUT /v1/insights/{id}`
pub(super) async fn put_insight(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
    Json(Strict(mut body)): Json<Strict<Insight>>,
) -> Result<Response, Error> {
    same_id(&id, &mut body.id)?;
    put(&app, principal, Command::PutInsight(request::insight(body.clone())), &body).await
}

/// `GET /v1/customers/{id}`
pub(super) async fn get_customer(State(app): State<AppState>, Id(id): Id) -> Result<Answer<Customer>, Error> {
    get(&app, id).await
}

/// `GET /v1/pools/{id}`
pub(super) async fn get_pool(State(app): State<AppState>, Id(id): Id) -> Result<Answer<Pool>, Error> {
    get(&app, id).await
}

/// `GET /v1/insights/{id}`
pub(super) async fn get_insight(State(app): State<AppState>, Id(id): Id) -> Result<Answer<Insight>, Error> {
    get(&app, id).await
}

/// `DELETE /v1/customers/{id}`
pub(super) async fn delete_customer(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    delete(&app, principal, Command::DeleteCustomer(CustomerId::from(id))).await
}

/// `DELETE /v1/pools/{id}`
pub(super) async fn delete_pool(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    delete(&app, principal, Command::DeletePool(PoolId::from(id))).await
}

/// `DELETE /v1/insights/{id}`
pub(super) async fn delete_insight(
    State(app): State<AppState>,
    principal: Principal,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    delete(&app, principal, Command::DeleteInsight(InsightId::from(id))).await
}

/// `GET /v1/customers`
pub(super) async fn list_customers(
    State(app): State<AppState>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<Customer>>, Error> {
    list(&app, params).await
}

/// `GET /v1/pools`
pub(super) async fn list_pools(
    State(app): State<AppState>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<Pool>>, Error> {
    list(&app, params).await
}

/// `GET /v1/insights`
pub(super) async fn list_insights(
    State(app): State<AppState>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<Insight>>, Error> {
    list(&app, params).await
}

/// Checks that the id in a body, if present, equals the id in the path.
fn same_id(path: &str, body: &mut String) -> Result<(), Error> {
    if body.is_empty() {
        path.clone_into(body);
    }
    if body == path {
        return Ok(());
    }
    Err(Error::new(
        Problem::InvalidRequest,
        format!(
            "conflicting ids: `{path}` in the path, `{body}` in the body. Use one id, or leave `id` out \
            of the body"
        ),
    ))
}

async fn put<T: Serialize>(
    app: &AppState,
    principal: Principal,
    command: Command,
    body: &T,
) -> Result<Response, Error> {
    match app.change(principal.actor, command).await? {
        Reply::Created => Ok((StatusCode::CREATED, Answer(body)).into_response()),
        Reply::Updated => Ok(Answer(body).into_response()),
        _ => Err(Error::internal()),
    }
}

async fn get<T: Shown>(app: &AppState, id: String) -> Result<Answer<T>, Error> {
    let missing = Error::not_found(format!("{} `{id}` does not exist", T::KIND.as_str()));
    let setting = app.read(move |store| store.setting(T::KIND, &id)).await?.ok_or(missing)?;
    T::of(setting).map(Answer)
}

async fn delete(app: &AppState, principal: Principal, command: Command) -> Result<StatusCode, Error> {
    app.change(principal.actor, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list<T: Shown>(app: &AppState, params: ListParams) -> Result<Answer<Page<T>>, Error> {
    let size = page_size(params.limit)?;
    let after = params.after.unwrap_or_default();
    let mut settings = app.read(move |store| store.settings(T::KIND, &after, size + 1)).await?;
    let more = settings.len() > size;
    settings.truncate(size);
    let next = settings.last().filter(|_| more).map(|setting| setting.id().to_owned());
    let items = settings.into_iter().map(T::of).collect::<Result<_, _>>()?;
    Ok(Answer(Page::new(items, next)))
}
