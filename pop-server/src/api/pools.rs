//! What pool agents call: attach, pull, renew, report, release.

pub(super) mod call;

use axum::Json as Answer;
use axum::extract::State;
use pop_sdk::api::{
    AttachRequest, AttachResponse, PullRequest, PullResponse, ReleaseRequest, ReleaseResponse, RenewRequest,
    RenewResponse, ReportRequest, ReportResponse,
};

use super::extract::{Id, Json};
use super::problem::Error;
use crate::server::Parts;

/// `POST /v1/pools/{id}/attach`
pub(super) async fn attach(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<AttachRequest>,
) -> Result<Answer<AttachResponse>, Error> {
    allowed()?;
    Ok(Answer(call::attach(&parts, pool, request).await?))
}

/// `POST /v1/pools/{id}/pull`
pub(super) async fn pull(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<PullRequest>,
) -> Result<Answer<PullResponse>, Error> {
    allowed()?;
    Ok(Answer(call::pull(&parts, pool, request).await?))
}

/// `POST /v1/pools/{id}/renew`
pub(super) async fn renew(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<RenewRequest>,
) -> Result<Answer<RenewResponse>, Error> {
    allowed()?;
    Ok(Answer(call::renew(&parts, pool, request).await?))
}

/// `POST /v1/pools/{id}/report`
pub(super) async fn report(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<ReportRequest>,
) -> Result<Answer<ReportResponse>, Error> {
    allowed()?;
    Ok(Answer(call::report(&parts, pool, request).await?))
}

/// `POST /v1/pools/{id}/release`
pub(super) async fn release(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<ReleaseRequest>,
) -> Result<Answer<ReleaseResponse>, Error> {
    allowed()?;
    Ok(Answer(call::release(&parts, pool, request).await?))
}

fn allowed() -> Result<(), Error> {
    if super::caller().may_operate() { Ok(()) } else { Err(Error::not_found("there is nothing here")) }
}
