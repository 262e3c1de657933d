//! The writing statements, by kind of write.

use pop_compiler::agenda::Operation;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::read::owner;
use super::row::{text, text_or_none};
use super::seal::Seal;
use crate::core::record::{AgendaRow, NewAgenda, OperationRow, Write};
use crate::ids::AgendaNo;
use crate::scheduler::RowChange;
use crate::store::{Kind, StoreError, to_micros};

/// Applies one write.
pub(super) fn apply(tx: &Transaction<'_>, seal: &Seal, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::PutCustomer(c) => put(tx, Kind::Customer, &c.id, &text(c, "customer")?),
        Write::PutPool(p) => put(tx, Kind::Pool, &p.id, &text(p, "pool")?),
        Write::PutInsight(i) => put(tx, Kind::Insight, &i.id, &text(i, "insight")?),
        Write::DeleteCustomer(id) => delete(tx, Kind::Customer, id.as_str()),
        Write::DeletePool(id) => delete(tx, Kind::Pool, id.as_str()),
        Write::DeleteInsight(id) => delete(tx, Kind::Insight, id.as_str()),
        Write::Policy(change) => policy(tx, change),
        Write::NewAgenda(new) => new_agenda(tx, seal, new),
        Write::Agenda(row) => agenda(tx, row),
        Write::Ended(no, outputs, failure) => {
            let outputs = text_or_none(outputs.as_ref(), "outputs")?;
            let outputs = outputs.map(|text| seal.seal(tx, *no, is_sealed(tx, *no)?, text)).transpose()?;
            let failure = text_or_none(failure.as_ref(), "failure")?;
            tx.prepare_cached("UPDATE agendas SET outputs = ?2, failure = ?3 WHERE no = ?1")?
                .execute(params![no.0, outputs, failure])?;
            Ok(())
        }
        Write::Rerun(no, reset, removed) => again(tx, *no, reset, removed),
        Write::PutTemplate(header, template) => {
            tx.prepare_cached(
                "INSERT INTO templates (customer, name, view, body) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (customer, name) DO UPDATE SET view = excluded.view, body = excluded.body",
            )?
            .execute(params![
                owner(header.customer.as_ref()),
                header.name,
                text(header, "template")?,
                template.as_ref()
            ])?;
            Ok(())
        }
        Write::DeleteTemplate(customer, name) => {
            tx.prepare_cached("DELETE FROM templates WHERE customer = ?1 AND name = ?2")?
                .execute([owner(customer.as_ref()), name])?;
            Ok(())
        }
        Write::Generated(no, first, operations) => made(tx, seal, *no, *first, operations),
        Write::Operation(row) => operation(tx, seal, row),
        Write::Event(no, event) => {
            tx.prepare_cached("INSERT INTO events (no, seq, body) VALUES (?1, ?2, ?3)")?.execute(params![
                no.0,
                event.seq,
                text(event.as_ref(), "event")?
            ])?;
            Ok(())
        }
        Write::Log(no, chunk) => {
            tx.prepare_cached(
                "INSERT INTO logs (no, operation, attempt, stream, start, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                 ON CONFLICT (no, operation, attempt, stream, start) DO NOTHING",
            )?
            .execute(params![
                no.0,
                chunk.operation,
                chunk.attempt,
                chunk.stream,
                chunk.offset,
                chunk.text
            ])?;
            Ok(())
        }
    }
}

fn put(tx: &Transaction<'_>, kind: Kind, id: &str, body: &str) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO settings (kind, id, body) VALUES (?1, ?2, ?3) \
         ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
    )?
    .execute(params![kind.as_str(), id, body])?;
    Ok(())
}

fn delete(tx: &Transaction<'_>, kind: Kind, id: &str) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM settings WHERE kind = ?1 AND id = ?2")?.execute([kind.as_str(), id])?;
    Ok(())
}

fn policy(tx: &Transaction<'_>, change: &RowChange) -> Result<(), StoreError> {
    match change {
        RowChange::Put { insight, key, value } => tx
            .prepare_cached(
                "INSERT INTO policy_rows (insight, key, value) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (insight, key) DO UPDATE SET value = excluded.value",
            )?
            .execute([insight.as_str(), key, value])?,
        RowChange::Delete { insight, key } => tx
            .prepare_cached("DELETE FROM policy_rows WHERE insight = ?1 AND key = ?2")?
            .execute([insight.as_str(), key])?,
        RowChange::Clear { insight } => {
            tx.prepare_cached("DELETE FROM policy_rows WHERE insight = ?1")?.execute([insight.as_str()])?
        }
    };
    Ok(())
}

fn new_agenda(tx: &Transaction<'_>, seal: &Seal, new: &NewAgenda) -> Result<(), StoreError> {
    let h = &new.header;
    tx.prepare_cached(
        "INSERT INTO agendas (no, id, customer, insight, pool, title, link, workflow, total, submitted_at, \
         maximum_attempts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        h.no.0,
        h.id.as_str(),
        h.customer.as_str(),
        h.insight.as_str(),
        h.pool.as_str(),
        h.title,
        h.link,
        text_or_none(h.workflow.as_ref(), "workflow")?,
        u32::try_from(new.operations.len()).unwrap_or(u32::MAX),
        to_micros(h.submitted_at),
        h.maximum_attempts,
    ])?;
    let operations: Vec<(&str, &str)> =
        new.operations.iter().map(|o| (o.name.as_str(), o.kind.as_str())).collect();
    tx.prepare_cached("INSERT INTO bodies (no, body, operations, sealed) VALUES (?1, ?2, ?3, ?4)")?.execute(
        params![
            h.no.0,
            seal.seal(tx, h.no, new.secret, new.body.to_string())?,
            text(&operations, "operations")?,
            new.secret,
        ],
    )?;
    if let Some(key) = &new.idempotency_key {
        tx.prepare_cached("INSERT INTO keys (customer, key, no) VALUES (?1, ?2, ?3)")?.execute(params![
            h.customer.as_str(),
            key,
            h.no.0
        ])?;
    }
    Ok(())
}

fn agenda(tx: &Transaction<'_>, row: &AgendaRow) -> Result<(), StoreError> {
    let lease = row.lease.as_ref();
    tx.prepare_cached(
        "UPDATE agendas SET state = ?2, held = ?3, reason = ?4, epoch = ?5, seq = ?6, percent = ?7, \
         succeeded = ?8, queue_position = ?9, lease_worker = ?10, lease_instance = ?11, lease_request = ?12, \
         cancelling = ?13, started_at = ?14, ended_at = ?15, total = ?16, lost = ?17, interrupted = ?18 \
         WHERE no = ?1",
    )?
    .execute(params![
        row.no.0,
        row.state.as_str(),
        row.on_hold,
        row.reason,
        row.epoch,
        row.seq,
        row.percent.hundredths(),
        row.succeeded,
        row.queue_position,
        lease.map(|l| &l.worker),
        lease.map(|l| &l.instance),
        lease.map(|l| &l.request),
        lease.is_some_and(|l| l.cancelling),
        row.started_at.map(to_micros),
        row.ended_at.map(to_micros),
        row.total,
        row.lost,
        row.interrupted,
    ])?;
    Ok(())
}

fn made(
    tx: &Transaction<'_>,
    seal: &Seal,
    no: AgendaNo,
    first: u32,
    operations: &[Operation],
) -> Result<(), StoreError> {
    let mut statement =
        tx.prepare_cached("INSERT INTO made (no, position, name, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let sealed = is_sealed(tx, no)?;
    for (operation, position) in operations.iter().zip(first..) {
        let body = seal.seal(tx, no, sealed, text(operation, "operation")?)?;
        statement.execute(params![no.0, position, operation.name, operation.kind, body])?;
    }
    Ok(())
}

/// Whether the agenda's texts are encrypted.
fn is_sealed(tx: &Transaction<'_>, no: AgendaNo) -> Result<bool, StoreError> {
    let mut statement = tx.prepare_cached("SELECT sealed FROM bodies WHERE no = ?1")?;
    Ok(statement.query_row([no.0], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// Deletes the results of reset and removed operations. Removed operations vanish with their logs, and later operations
/// move up.
fn again(tx: &Transaction<'_>, no: AgendaNo, reset: &[u32], removed: &[u32]) -> Result<(), StoreError> {
    for position in reset.iter().chain(removed) {
        tx.prepare_cached("DELETE FROM operations WHERE no = ?1 AND position = ?2")?
            .execute(params![no.0, position])?;
        tx.prepare_cached("DELETE FROM outputs WHERE no = ?1 AND position = ?2")?
            .execute(params![no.0, position])?;
    }
    let Some(first) = removed.first() else { return Ok(()) };
    for position in removed {
        tx.prepare_cached(
            "DELETE FROM logs WHERE no = ?1 AND operation = \
             (SELECT name FROM made WHERE no = ?1 AND position = ?2)",
        )?
        .execute(params![no.0, position])?;
        tx.prepare_cached("DELETE FROM made WHERE no = ?1 AND position = ?2")?
            .execute(params![no.0, position])?;
    }
    for table in ["made", "operations", "outputs"] {
        let mut statement = tx.prepare_cached(&format!(
            "SELECT position FROM {table} WHERE no = ?1 AND position > ?2 ORDER BY position"
        ))?;
        let later: Vec<u32> =
            statement.query_map(params![no.0, first], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut statement =
            tx.prepare_cached(&format!("UPDATE {table} SET position = ?3 WHERE no = ?1 AND position = ?2"))?;
        for position in later {
            let gone = u32::try_from(removed.partition_point(|r| *r < position)).unwrap_or(u32::MAX);
            statement.execute(params![no.0, position, position.saturating_sub(gone)])?;
        }
    }
    Ok(())
}

fn operation(tx: &Transaction<'_>, seal: &Seal, row: &OperationRow) -> Result<(), StoreError> {
    // Within one attempt, a known start time stays.
    tx.prepare_cached(
        "INSERT INTO operations \
         (no, position, state, again, attempt, percent, message, started_at, ended_at, failure, failures, \
         ledger) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
         ON CONFLICT (no, position) DO UPDATE SET state = excluded.state, again = excluded.again, \
         percent = excluded.percent, message = excluded.message, ended_at = excluded.ended_at, \
         started_at = CASE WHEN attempt = excluded.attempt \
             THEN coalesce(started_at, excluded.started_at) ELSE excluded.started_at END, \
         ledger = CASE WHEN attempt = excluded.attempt \
             THEN coalesce(excluded.ledger, ledger) ELSE excluded.ledger END, \
         failure = CASE excluded.state WHEN 'succeeded' THEN NULL \
         ELSE coalesce(excluded.failure, failure) END, attempt = excluded.attempt, \
         failures = excluded.failures",
    )?
    .execute(params![
        row.agenda.0,
        row.position,
        row.state.as_str(),
        row.retrying,
        row.attempt,
        row.percent.hundredths(),
        row.message,
        row.started_at.map(to_micros),
        row.ended_at.map(to_micros),
        text_or_none(row.failure.as_ref(), "failure")?,
        row.failures,
        text_or_none(row.ledger.as_ref(), "ledger")?,
    ])?;
    if let Some(output) = &row.output {
        let output = seal.seal(tx, row.agenda, is_sealed(tx, row.agenda)?, text(output, "output")?)?;
        tx.prepare_cached(
            "INSERT INTO outputs (no, position, body) VALUES (?1, ?2, ?3) \
             ON CONFLICT (no, position) DO UPDATE SET body = excluded.body",
        )?
        .execute(params![row.agenda.0, row.position, output])?;
    }
    Ok(())
}
