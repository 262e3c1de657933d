//! The calls of agents, shared by HTTP and the port of the same process.

use std::time::Duration;

use pop_compiler::agenda::Agenda;
use pop_sdk::api::{
    AttachRequest, AttachResponse, Lease, OperationState, PullRequest, PullResponse, ReleaseRequest,
    ReleaseResponse, RenewRequest, RenewResponse, ReportRequest, ReportResponse,
};
use tokio::time::{Instant, timeout_at};

use crate::api::AppState;
use crate::api::{request, view};
use crate::core::access::Actor;
use crate::core::command::{Command, Granted, LeaseId, Pull, Reply};
use crate::http::problem::{Error, Kind};
use crate::ids::{InsightId, PoolId};
use crate::store::{Store, StoreError};

/// Longest wait of a pull or a renewal.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// Longest name of an agent, an instance or a call, in characters.
const LONGEST_NAME: usize = 128;
/// Largest number of agendas in one pull.
const LARGEST_PULL: u32 = 1000;

pub(in crate::api) async fn attach(
    app: &AppState,
    pool: String,
    request: AttachRequest,
) -> Result<AttachResponse, Error> {
    let AttachRequest { worker, instance, holding } = request;
    agent(&worker, &instance)?;
    let pool = PoolId::from(pool);
    let actor = agent_of(&pool, &worker);
    let holding = request::leases(holding);
    let reply = app.change(actor, Command::Attach { pool, worker, instance, holding }).await?;
    let Reply::Attached { returned, kept } = reply else { return Err(Error::internal()) };
    Ok(AttachResponse { lease_ms: lease_ms(app), returned: view::leases(returned), kept: view::leases(kept) })
}

pub(in crate::api) async fn pull(
    app: &AppState,
    pool: String,
    request: PullRequest,
) -> Result<PullResponse, Error> {
    agent(&request.worker, &request.instance)?;
    named("request", &request.request)?;
    let pool = PoolId::from(pool);
    let actor = agent_of(&pool, &request.worker);
    let called = Instant::now();
    let deadline = called + Duration::from_millis(request.wait_ms).min(LONGEST_WAIT);
    let nothing = || PullResponse { leases: Vec::new(), waited_ms: 0 };
    let mut pull = Pull {
        pool: pool.clone(),
        worker: request.worker,
        instance: request.instance,
        insight: request.insight.map(InsightId::from),
        count: request.count.min(LARGEST_PULL) as usize,
        request: request.request,
        woken: false,
    };
    let mut poll = app.engine.wakeups.poll(&pool, pull.insight.as_ref());
    loop {
        poll.wait();
        let waited = called.elapsed();
        let reply = app.change(actor.clone(), Command::Pull(pull.clone())).await?;
        match reply {
            Reply::Granted(granted) if granted.is_empty() => poll.looked(),
            Reply::Granted(granted) => {
                poll.looked();
                drop(poll);
                let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(0);
                return Ok(PullResponse { leases: leases(app, &pull, granted).await?, waited_ms });
            }
            // An agent that is alive calls again.
            Reply::Silent => return Ok(nothing()),
            _ => return Err(Error::internal()),
        }
        tokio::select! {
            woken = timeout_at(deadline, poll.woken()) => {
                if woken.is_err() {
                    return Ok(nothing());
                }
            }
            () = app.shutdown.cancelled() => return Ok(nothing()),
        }
        pull.woken = true;
    }
}

pub(in crate::api) async fn renew(
    app: &AppState,
    pool: String,
    request: RenewRequest,
) -> Result<RenewResponse, Error> {
    let RenewRequest { worker, instance, leases, wait_ms } = request;
    agent(&worker, &instance)?;
    let deadline = Instant::now() + Duration::from_millis(wait_ms).min(LONGEST_WAIT);
    let pool = PoolId::from(pool);
    let actor = agent_of(&pool, &worker);
    let mut cancels = app.engine.wakeups.watch_cancels();
    let renew = Command::Renew { pool, worker, instance, leases: request::leases(leases) };
    loop {
        cancels.mark_unchanged();
        let reply = app.change(actor.clone(), renew.clone()).await?;
        let Reply::Renewed { cancel, lost } = reply else { return Err(Error::internal()) };
        let response =
            RenewResponse { lease_ms: lease_ms(app), cancel: view::leases(cancel), lost: view::leases(lost) };
        if !response.cancel.is_empty() || !response.lost.is_empty() {
            return Ok(response);
        }
        tokio::select! {
            woken = timeout_at(deadline, cancels.changed()) => {
                if !matches!(woken, Ok(Ok(()))) {
                    return Ok(response);
                }
            }
            () = app.shutdown.cancelled() => return Ok(response),
        }
    }
}

pub(in crate::api) async fn report(
    app: &AppState,
    pool: String,
    request: ReportRequest,
) -> Result<ReportResponse, Error> {
    let ReportRequest { worker, instance, reports } = request;
    agent(&worker, &instance)?;
    let reports = reports.into_iter().map(request::report).collect::<Result<_, _>>()?;
    let pool = PoolId::from(pool);
    let actor = agent_of(&pool, &worker);
    let reply = app.change(actor, Command::Report { pool, worker, instance, reports }).await?;
    let Reply::Reported(results) = reply else { return Err(Error::internal()) };
    Ok(ReportResponse { results: view::results(results) })
}

pub(in crate::api) async fn release(
    app: &AppState,
    pool: String,
    request: ReleaseRequest,
) -> Result<ReleaseResponse, Error> {
    let ReleaseRequest { worker, instance, leases, leaving } = request;
    agent(&worker, &instance)?;
    let pool = PoolId::from(pool);
    let actor = agent_of(&pool, &worker);
    let leases = request::leases(leases);
    let reply = app.change(actor, Command::Release { pool, worker, instance, leases, leaving }).await?;
    let Reply::Released(released) = reply else { return Err(Error::internal()) };
    Ok(ReleaseResponse { released: view::leases(released) })
}

/// The granted leases, with their agendas and the results of earlier leases. The answer takes no further agenda after
/// the limit of bytes; the other agendas go back to their queues.
async fn leases(app: &AppState, pull: &Pull, granted: Vec<Granted>) -> Result<Vec<Lease>, Error> {
    let (lease_ms, limit) = (lease_ms(app), app.limits.pull);
    let (leases, rest) = app
        .read(move |store| {
            let (mut leases, mut size) = (Vec::new(), 0);
            let mut granted = granted.into_iter().peekable();
            while let Some(grant) = granted.next_if(|_| size < limit) {
                if let Some((lease, bytes)) = lease(store, grant, lease_ms)? {
                    leases.push(lease);
                    size += bytes;
                }
            }
            Ok((leases, granted.collect::<Vec<_>>()))
        })
        .await?;
    if !rest.is_empty() {
        let leases = rest.into_iter().map(|g| LeaseId { id: g.id, epoch: g.epoch }).collect();
        let Pull { pool, worker, instance, .. } = pull.clone();
        let actor = agent_of(&pool, &worker);
        app.change(actor, Command::Release { pool, worker, instance, leases, leaving: false }).await?;
    }
    Ok(leases)
}

/// A lease, with an estimate of its size in bytes.
fn lease(store: &dyn Store, grant: Granted, lease_ms: u64) -> Result<Option<(Lease, usize)>, StoreError> {
    let Some(record) = store.agenda(&grant.id)? else { return Ok(None) };
    let no = record.header.no;
    let Some(body) = store.body(no)? else { return Ok(None) };
    let corrupt = |e: serde_json::Error| StoreError::Corrupt { column: "body", why: e.to_string() };
    let mut agenda: Agenda = serde_json::from_str(&body).map_err(corrupt)?;
    let mut bytes = body.len();
    for operation in store.generated(no)? {
        bytes += operation.len();
        agenda.operations.push(serde_json::from_str(&operation).map_err(corrupt)?);
    }
    let mut progress = Vec::new();
    for (name, row) in store.operations(no)? {
        let view = view::operation((name, row));
        // A reset operation keeps the number of its last attempt, so the agent must learn that number.
        if view.state != OperationState::Waiting || view.attempt > 0 {
            bytes += view.name.len() + view.output.as_ref().map_or(0, |output| output.to_string().len());
            progress.push(view);
        }
    }
    let Granted { id, epoch, interrupted } = grant;
    Ok(Some((Lease { id: id.to_string(), epoch, lease_ms, interrupted, agenda, progress }, bytes)))
}

fn lease_ms(app: &AppState) -> u64 {
    u64::try_from(app.limits.lease.as_millis()).unwrap_or(u64::MAX)
}

fn agent(worker: &str, instance: &str) -> Result<(), Error> {
    named("worker", worker)?;
    named("instance", instance)
}

fn named(field: &str, value: &str) -> Result<(), Error> {
    let length = value.chars().count();
    let why = if length == 0 {
        "is empty".to_owned()
    } else if length > LONGEST_NAME {
        format!("has {length} characters")
    } else if value.chars().any(char::is_control) {
        format!("is {value:?} and contains a control character")
    } else {
        return Ok(());
    };
    let rule = format!("use 1 to {LONGEST_NAME} characters without control characters");
    Err(Error::new(Kind::InvalidRequest, format!("invalid `{field}`: the value {why}; {rule}")))
}

/// The actor of an agent's calls.
fn agent_of(pool: &PoolId, worker: &str) -> Actor {
    Actor::Agent { pool: pool.clone(), worker: worker.to_owned() }
}
