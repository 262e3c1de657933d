//! From what is stored to what clients see.

use pop_compiler::agenda::Operation;
use pop_sdk::api::{AgendaView, OperationView};

use crate::core::record::{OperationName, OperationRow};
use crate::store::Record;

/// An agenda without its operations.
pub(super) fn agenda(record: Record) -> AgendaView {
    let Record { header, row, outputs, failure } = record;
    AgendaView {
        id: header.id.to_string(),
        customer: header.customer.to_string(),
        title: header.title,
        link: header.link,
        workflow: header.workflow,
        state: row.state,
        reason: row.reason,
        percent: row.percent.value(),
        total: row.total,
        succeeded: row.succeeded,
        insight: header.insight.to_string(),
        pool: header.pool.to_string(),
        epoch: row.epoch,
        last_event: row.seq,
        submitted_at: header.submitted_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        outputs,
        failure,
        operations: Vec::new(),
    }
}

/// An operation that was submitted just now.
pub(super) fn submitted(operation: &Operation) -> OperationView {
    OperationView { name: operation.name.clone(), kind: operation.kind.clone(), ..OperationView::default() }
}

/// An operation; without a row it is as it was submitted.
pub(super) fn operation((name, row): (OperationName, Option<OperationRow>)) -> OperationView {
    let view = OperationView { name: name.name, kind: name.kind, ..OperationView::default() };
    let Some(row) = row else { return view };
    OperationView {
        state: row.state,
        attempt: row.attempt,
        failures: row.failures,
        percent: row.percent.value(),
        message: row.message,
        started_at: row.started_at,
        ended_at: row.ended_at,
        output: row.output,
        failure: row.failure,
        ..view
    }
}
