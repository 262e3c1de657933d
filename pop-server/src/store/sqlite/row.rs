//! Converts between Rust values and columns.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::seal::Seal;
use crate::core::record::{
    AgendaHeader, AgendaRow, AgendaState, LeaseRow, OperationRow, OperationState, Percent,
};
use crate::ids::{AgendaId, AgendaNo, CustomerId, InsightId, PoolId};
use crate::store::{Record, StoreError};

/// The columns that [`agenda`] reads, in its order.
pub(super) const AGENDA_COLUMNS: &str = "no, id, customer, insight, pool, title, link, workflow, total, \
    submitted_at, state, held, reason, epoch, seq, percent, succeeded, queue_position, lease_worker, \
    lease_instance, lease_request, interrupted, cancelling, started_at, ended_at, outputs, failure, maximum_attempts, lost";
/// The number of these columns.
pub(super) const AGENDA_WIDTH: usize = 29;

/// The columns that [`operation`] reads, in its order.
pub(super) const OPERATION_COLUMNS: &str = "operations.no, operations.position, state, again, attempt, percent, \
    message, started_at, ended_at, failure, failures, ledger";
/// The number of these columns.
pub(super) const OPERATION_WIDTH: usize = 12;

pub(super) fn agenda(row: &Row<'_>, seal: &Seal) -> Result<Record, StoreError> {
    let no = AgendaNo(row.get(0)?);
    let worker: Option<String> = row.get(18)?;
    let lease = match worker {
        Some(worker) => {
            Some(LeaseRow { worker, instance: row.get(19)?, request: row.get(20)?, cancelling: row.get(22)? })
        }
        None => None,
    };
    let header = AgendaHeader {
        no,
        id: AgendaId::from(row.get::<_, String>(1)?),
        customer: CustomerId::from(row.get::<_, String>(2)?),
        insight: InsightId::from(row.get::<_, String>(3)?),
        pool: PoolId::from(row.get::<_, String>(4)?),
        title: row.get(5)?,
        link: row.get(6)?,
        workflow: json_or_none(row.get(7)?, "workflow")?,
        submitted_at: time(row.get(9)?)?,
        maximum_attempts: row.get(27)?,
    };
    let changing = AgendaRow {
        no,
        state: agenda_state(&row.get::<_, String>(10)?)?,
        on_hold: row.get(11)?,
        reason: row.get(12)?,
        epoch: row.get(13)?,
        lost: row.get(28)?,
        interrupted: row.get(21)?,
        seq: row.get(14)?,
        percent: Percent::from_hundredths(row.get(15)?),
        total: row.get(8)?,
        succeeded: row.get(16)?,
        queue_position: row.get(17)?,
        lease,
        started_at: time_or_none(row.get(23)?)?,
        ended_at: time_or_none(row.get(24)?)?,
    };
    let outputs = match row.get_ref(25)? {
        ValueRef::Null => None,
        outputs => Some(json(&seal.unseal(no, outputs)?, "outputs")?),
    };
    let failure = json_or_none(row.get(26)?, "failure")?;
    Ok(Record { header, row: changing, outputs, failure })
}

/// An operation's row without its output.
pub(super) fn operation(row: &Row<'_>) -> Result<OperationRow, StoreError> {
    Ok(OperationRow {
        agenda: AgendaNo(row.get(0)?),
        position: row.get(1)?,
        state: operation_state(&row.get::<_, String>(2)?)?,
        retrying: row.get(3)?,
        attempt: row.get(4)?,
        failures: row.get(10)?,
        percent: Percent::from_hundredths(row.get(5)?),
        message: row.get(6)?,
        started_at: time_or_none(row.get(7)?)?,
        ended_at: time_or_none(row.get(8)?)?,
        output: None,
        failure: json_or_none(row.get(9)?, "failure")?,
        ledger: json_or_none(row.get(11)?, "ledger")?,
    })
}

fn agenda_state(name: &str) -> Result<AgendaState, StoreError> {
    AgendaState::named(name)
        .ok_or_else(|| StoreError::Corrupt { column: "state", why: format!("unknown agenda state `{name}`") })
}

fn operation_state(name: &str) -> Result<OperationState, StoreError> {
    OperationState::named(name).ok_or_else(|| StoreError::Corrupt {
        column: "state",
        why: format!("unknown operation state `{name}`"),
    })
}

fn time(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros)
        .map_err(|e| StoreError::Corrupt { column: "time", why: e.to_string() })
}

fn time_or_none(micros: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    micros.map(time).transpose()
}

/// Parses a column of JSON text.
pub(super) fn json<T: DeserializeOwned>(text: &str, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt { column, why: e.to_string() })
}

fn json_or_none<T: DeserializeOwned>(
    text: Option<String>,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    text.map(|t| json(&t, column)).transpose()
}

/// Writes a value as JSON text for a column.
pub(super) fn text<T: Serialize + ?Sized>(value: &T, column: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Corrupt { column, why: e.to_string() })
}

/// Like [`text`], for an optional value.
pub(super) fn text_or_none<T: Serialize>(
    value: Option<&T>,
    column: &'static str,
) -> Result<Option<String>, StoreError> {
    value.map(|v| text(v, column)).transpose()
}
