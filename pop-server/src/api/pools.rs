//! What pool agents call: attach, pull, renew, report.

use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State;
use pop_compiler::agenda::Agenda;
use pop_sdk::api::{
    AttachRequest, AttachResponse, Lease, LeaseId, OperationState, PullRequest, PullResponse, RenewRequest,
    RenewResponse, ReportRequest, ReportResponse,
};
use tokio::time::{Instant, timeout_at};

use super::extract::{Id, Json};
use super::problem::{Error, Kind};
use super::view;
use crate::core::command::{Command, Granted, Pull, Reply};
use crate::ids::{InsightId, PoolId};
use crate::server::Parts;
use crate::store::{Store, StoreError};

/// The longest wait of a pull.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// The most agendas of one pull.
const LARGEST_PULL: u32 = 1000;

/// `POST /v1/pools/{id}/attach`
pub(super) async fn attach(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<AttachRequest>,
) -> Result<Answer<AttachResponse>, Error> {
    allowed()?;
    let AttachRequest { worker, instance, holding: _ } = request;
    named("worker", &worker)?;
    named("instance", &instance)?;
    let reply = parts.change(Command::Attach { pool: PoolId::from(pool), worker, instance }).await?;
    let Reply::Attached(returned) = reply else { return Err(Error::internal()) };
    let returned = returned.iter().map(|id| LeaseId { id: id.to_string(), epoch: 0 }).collect();
    Ok(Answer(AttachResponse { lease_ms: lease_ms(&parts), returned, kept: Vec::new() }))
}

/// `POST /v1/pools/{id}/pull`
pub(super) async fn pull(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<PullRequest>,
) -> Result<Answer<PullResponse>, Error> {
    allowed()?;
    named("worker", &request.worker)?;
    named("instance", &request.instance)?;
    named("request", &request.request)?;
    let pool = PoolId::from(pool);
    let deadline = Instant::now() + Duration::from_millis(request.wait_ms).min(LONGEST_WAIT);
    let pull = Pull {
        pool: pool.clone(),
        worker: request.worker,
        instance: request.instance,
        insight: request.insight.map(InsightId::from),
        count: request.count.min(LARGEST_PULL) as usize,
        request: request.request,
    };
    let mut work = parts.hub.watch_pool(&pool);
    loop {
        work.mark_unchanged();
        let reply = parts.change(Command::Pull(pull.clone())).await?;
        let Reply::Granted(granted) = reply else { return Err(Error::internal()) };
        if !granted.is_empty() {
            return Ok(Answer(PullResponse { leases: leases(&parts, granted).await?, waited_ms: 0 }));
        }
        tokio::select! {
            woken = timeout_at(deadline, work.changed()) => {
                if !matches!(woken, Ok(Ok(()))) {
                    return Ok(Answer(PullResponse { leases: Vec::new(), waited_ms: 0 }));
                }
            }
            () = parts.shutdown.cancelled() => return Ok(Answer(PullResponse { leases: Vec::new(), waited_ms: 0 })),
        }
    }
}

/// What was handed out, with the agendas and what earlier leases reached.
async fn leases(parts: &Parts, granted: Vec<Granted>) -> Result<Vec<Lease>, Error> {
    let lease_ms = lease_ms(parts);
    parts
        .read(move |store| {
            granted.into_iter().filter_map(|grant| lease(store, grant, lease_ms).transpose()).collect()
        })
        .await
}

fn lease(store: &dyn Store, grant: Granted, lease_ms: u64) -> Result<Option<Lease>, StoreError> {
    let Some(record) = store.agenda(&grant.id)? else { return Ok(None) };
    let no = record.header.no;
    let Some(body) = store.body(no)? else { return Ok(None) };
    let corrupt = |e: serde_json::Error| StoreError::Corrupt { column: "body", why: e.to_string() };
    let mut agenda: Agenda = serde_json::from_str(&body).map_err(corrupt)?;
    for operation in store.made(no)? {
        agenda.operations.push(serde_json::from_str(&operation).map_err(corrupt)?);
    }
    let progress = store
        .operations(no)?
        .into_iter()
        .map(view::operation)
        // An operation that runs again keeps the number of its last attempt.
        .filter(|o| o.state != OperationState::Waiting || o.attempt > 0)
        .collect();
    let Granted { id, epoch, .. } = grant;
    Ok(Some(Lease { id: id.to_string(), epoch, lease_ms, interrupted: 0, agenda, progress }))
}

/// `POST /v1/pools/{id}/renew`
pub(super) async fn renew(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<RenewRequest>,
) -> Result<Answer<RenewResponse>, Error> {
    allowed()?;
    let RenewRequest { worker, instance: _, leases, wait_ms: _ } = request;
    let reply = parts.change(Command::Renew { pool: PoolId::from(pool), worker, leases }).await?;
    let Reply::Renewed { cancel, lost } = reply else { return Err(Error::internal()) };
    Ok(Answer(RenewResponse { lease_ms: lease_ms(&parts), cancel, lost }))
}

fn lease_ms(parts: &Parts) -> u64 {
    u64::try_from(parts.lease.as_millis()).unwrap_or(u64::MAX)
}

/// `POST /v1/pools/{id}/report`
pub(super) async fn report(
    State(parts): State<Parts>,
    Id(pool): Id,
    Json(request): Json<ReportRequest>,
) -> Result<Answer<ReportResponse>, Error> {
    allowed()?;
    let ReportRequest { worker, instance: _, reports } = request;
    let reply = parts.change(Command::Report { pool: PoolId::from(pool), worker, reports }).await?;
    let Reply::Reported(results) = reply else { return Err(Error::internal()) };
    Ok(Answer(ReportResponse { results }))
}

fn named(field: &str, value: &str) -> Result<(), Error> {
    if value.is_empty() {
        return Err(Error::new(Kind::InvalidRequest, format!("`{field}` is empty")));
    }
    Ok(())
}

fn allowed() -> Result<(), Error> {
    if super::caller().may_operate() { Ok(()) } else { Err(Error::not_found("there is nothing here")) }
}
