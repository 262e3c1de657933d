//! Converts requests into commands of the core. Unknown states and names are refused with a list of the known ones.

use std::collections::BTreeMap;

use pop_sdk::api;
use serde::{Deserialize, Deserializer};

use crate::core::command::{AgendaEnd, Generated, LeaseId, Report};
use crate::core::record::{
    self, AgendaState, FailureClass, LogChunk, OperationState, OperationUpdate, Percent,
};
use crate::http::problem::{Error, Kind};
use crate::ids::AgendaId;

pub(super) fn leases(leases: Vec<api::LeaseId>) -> Vec<LeaseId> {
    leases.into_iter().map(|api::LeaseId { id, epoch }| LeaseId { id: AgendaId::from(id), epoch }).collect()
}

/// Converts a report. The server refuses an unknown state or class, because the server could neither store it nor act
/// on it.
pub(super) fn report(report: api::Report) -> Result<Report, Error> {
    let api::Report { id, epoch, operations, made, logs, end } = report;
    let of = |what: String| format!("report about agenda `{id}`: {what}");
    let operations = operations.into_iter().map(|view| update(view).map_err(|e| e.within(of)));
    let operations = operations.collect::<Result<_, _>>()?;
    let end = end.map(|end| agenda_end(end).map_err(|e| e.within(of))).transpose()?;
    let made =
        made.into_iter().map(|api::Made { generator, operations }| Generated { generator, operations });
    Ok(Report {
        operations,
        made: made.collect(),
        logs: logs.into_iter().map(log).collect(),
        end,
        lease: LeaseId { id: AgendaId::from(id), epoch },
    })
}

fn update(view: api::OperationView) -> Result<OperationUpdate, Error> {
    let api::OperationView {
        name,
        kind,
        state,
        attempt,
        failures,
        percent,
        message,
        started_at,
        ended_at,
        output,
        failure,
        ledger,
    } = view;
    let of = |what: String| format!("operation `{name}`: {what}");
    let state = OperationState::of_wire(&state).ok_or_else(|| {
        unknown("state", state.as_str(), OperationState::ALL.iter().map(|s| s.as_str())).within(of)
    })?;
    let failure = failure.map(|failure| self::failure(failure).map_err(|e| e.within(of))).transpose()?;
    Ok(OperationUpdate {
        name,
        kind,
        state,
        attempt,
        failures,
        percent: Percent::new(percent),
        message,
        started_at,
        ended_at,
        output,
        failure,
        ledger: ledger.map(self::ledger),
    })
}

/// The server itself knows when it commits.
fn ledger(ledger: Box<api::Ledger>) -> Box<record::Ledger> {
    let api::Ledger {
        pod,
        node,
        ready_at,
        posted_at,
        scheduled_at,
        pulled_at,
        container_at,
        spoke_at,
        exited_at,
        reported_at,
        committed_at: _,
    } = *ledger;
    Box::new(record::Ledger {
        pod,
        node,
        ready_at,
        posted_at,
        scheduled_at,
        pulled_at,
        container_at,
        spoke_at,
        exited_at,
        reported_at,
        committed_at: None,
    })
}

fn failure(failure: api::Failure) -> Result<record::Failure, Error> {
    let api::Failure { class, code, message, operation, exit_code, signal, log_tail, mismatch } = failure;
    let class = FailureClass::of_wire(&class).ok_or_else(|| {
        unknown("failure class", class.as_str(), FailureClass::ALL.iter().map(|c| c.as_str()))
    })?;
    let mismatch = mismatch.map(|mismatch| {
        let api::Mismatch { field, expected, found } = *mismatch;
        Box::new(record::Mismatch { field, expected, found })
    });
    Ok(record::Failure { class, code, message, operation, exit_code, signal, log_tail, mismatch })
}

fn log(chunk: api::LogChunk) -> LogChunk {
    let api::LogChunk { operation, attempt, stream, offset, text } = chunk;
    LogChunk { operation, attempt, stream, offset, text }
}

fn agenda_end(end: api::AgendaEnd) -> Result<AgendaEnd, Error> {
    let api::AgendaEnd { state, outputs, failure } = end;
    let state = AgendaState::of_wire(&state)
        .ok_or_else(|| unknown("state", state.as_str(), AgendaState::ALL.iter().map(|s| s.as_str())))?;
    Ok(AgendaEnd { state, outputs, failure: failure.map(self::failure).transpose()? })
}

pub(super) fn customer(customer: api::Customer) -> record::Customer {
    let api::Customer { id, title, pool } = customer;
    record::Customer { id, title, pool }
}

pub(super) fn pool(pool: api::Pool) -> record::Pool {
    let api::Pool { id, title } = pool;
    record::Pool { id, title }
}

pub(super) fn insight(insight: api::Insight) -> record::Insight {
    let api::Insight { id, title, pool, mappers, priority, queue_size, algorithm, allowed_customers } =
        insight;
    let algorithm = algorithm.as_str().to_owned();
    record::Insight { id, title, pool, mappers, priority, queue_size, algorithm, allowed_customers }
}

/// The state of a query.
pub(super) fn state(name: &str) -> Result<AgendaState, Error> {
    AgendaState::named(name).ok_or_else(|| {
        unknown("state", name, AgendaState::ALL.iter().map(|s| s.as_str())).of_kind(Kind::InvalidQuery)
    })
}

fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Error {
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    Error::new(Kind::InvalidRequest, format!("unknown {what} `{name}`; use one of {}", known.join(", ")))
}

/// A request whose keys are all known. The API's types ignore unknown keys, because clients read them from newer
/// servers. A request must refuse unknown keys, so that no misspelt setting is lost.
pub(super) struct Strict<T>(pub(super) T);

/// Declares the strict form of a type. The compiler keeps form and type equal, because the form constructs the type.
macro_rules! strict {
    ($($form:ident for $of:ty,)*) => {
        $(
            impl<'de> Deserialize<'de> for Strict<$of> {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $form::deserialize(deserializer).map(Self)
                }
            }
        )*
    };
}

strict!(CustomerForm for api::Customer, PoolForm for api::Pool, InsightForm for api::Insight,);

#[derive(Deserialize)]
#[serde(remote = "api::Customer", default = "api::Customer::default", deny_unknown_fields)]
struct CustomerForm {
    id: String,
    title: Option<String>,
    pool: String,
}

#[derive(Deserialize)]
#[serde(remote = "api::Pool", default = "api::Pool::default", deny_unknown_fields)]
struct PoolForm {
    id: String,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(remote = "api::Insight", default = "api::Insight::default", deny_unknown_fields)]
struct InsightForm {
    id: String,
    title: Option<String>,
    pool: String,
    mappers: BTreeMap<String, Vec<String>>,
    priority: i64,
    queue_size: u32,
    algorithm: api::Algorithm,
    allowed_customers: Vec<String>,
}
