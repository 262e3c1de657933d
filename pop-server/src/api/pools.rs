//! The routes for agents: attach, pull, renew, report, release.

pub(super) mod call;

use axum::Json as Answer;
use axum::extract::State;
use pop_sdk::api::{
    AttachRequest, AttachResponse, PullRequest, PullResponse, ReleaseRequest, ReleaseResponse, RenewRequest,
    RenewResponse, ReportRequest, ReportResponse,
};

use super::extract::Json;
use crate::api::AppState;
use crate::http::path::Id;
use crate::http::problem::Error;

/// `POST /v1/pools/{id}/attach`
pub(super) async fn attach(
    State(app): State<AppState>,
    Id(pool): Id,
    Json(request): Json<AttachRequest>,
) -> Result<Answer<AttachResponse>, Error> {
    Ok(Answer(call::attach(&app, pool, request).await?))
}

/// `POST /v1/pools/{id}/pull`
pub(super) async fn pull(
    State(app): State<AppState>,
    Id(pool): Id,
    Json(request): Json<PullRequest>,
) -> Result<Answer<PullResponse>, Error> {
    Ok(Answer(call::pull(&app, pool, request).await?))
}

/// `POST /v1/pools/{id}/renew`
pub(super) async fn renew(
    State(app): State<AppState>,
    Id(pool): Id,
    Json(request): Json<RenewRequest>,
) -> Result<Answer<RenewResponse>, Error> {
    Ok(Answer(call::renew(&app, pool, request).await?))
}

/// `POST /v1/pools/{id}/report`
pub(super) async fn report(
    State(app): State<AppState>,
    Id(pool): Id,
    Json(request): Json<ReportRequest>,
) -> Result<Answer<ReportResponse>, Error> {
    Ok(Answer(call::report(&app, pool, request).await?))
}

/// `POST /v1/pools/{id}/release`
pub(super) async fn release(
    State(app): State<AppState>,
    Id(pool): Id,
    Json(request): Json<ReleaseRequest>,
) -> Result<Answer<ReleaseResponse>, Error> {
    Ok(Answer(call::release(&app, pool, request).await?))
}
