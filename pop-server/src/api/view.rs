//! Converts the core's and the store's records into the API's types. [`request`](super::request) converts the other
//! way.

use pop_compiler::agenda::Operation;
use pop_sdk::api::{self, AgendaView, OperationView};

use crate::core::command::{LeaseId, ReportResult};
use crate::core::record::{
    self, AgendaState, Event, FailureClass, LogChunk, OperationName, OperationRow, OperationState,
    OperationUpdate, Setting, TemplateHeader, WorkflowRef,
};
use crate::http::problem::Error;
use crate::ids::AgendaId;
use crate::store::{Kind, Record};

/// The names that core and API share, in both directions. Each name of the core needs a name in the API, or this macro
/// does not compile. A name that only the API knows has no meaning for the core.
macro_rules! names {
    ($($name:ident { $($variant:ident)* })*) => {
        $(
            impl From<$name> for api::$name {
                fn from(name: $name) -> Self {
                    match name {
                        $($name::$variant => Self::$variant,)*
                    }
                }
            }

            impl $name {
                /// The core's name for a name of the API; none for an unknown name.
                pub(super) fn of_wire(name: &api::$name) -> Option<Self> {
                    match name {
                        $(api::$name::$variant => Some(Self::$variant),)*
                        _ => None,
                    }
                }
            }
        )*
    };
}

names! {
    AgendaState { Ready Queued Leased Executing Succeeded Failed Cancelled }
    OperationState { Waiting Ready Launching Executing Succeeded Failed Skipped Cancelled }
    FailureClass { User UserFatal UserTimeout UserResource Infra Capacity Config Platform Policy }
}

/// An agenda without its operations.
pub(super) fn agenda(record: Record) -> AgendaView {
    let Record { header, row, outputs, failure } = record;
    let mut view = AgendaView::new(header.id.to_string(), row.state.into(), header.submitted_at);
    view.customer = header.customer.to_string();
    view.title = header.title;
    view.link = header.link;
    view.workflow = header.workflow.map(workflow);
    view.reason = row.reason;
    view.percent = row.percent.value();
    view.total = row.total;
    view.succeeded = row.succeeded;
    view.insight = header.insight.to_string();
    view.pool = header.pool.to_string();
    view.epoch = row.epoch;
    view.last_event = row.seq;
    view.started_at = row.started_at;
    view.ended_at = row.ended_at;
    view.outputs = outputs;
    view.failure = failure.map(self::failure);
    view
}

fn workflow(workflow: WorkflowRef) -> api::WorkflowRef {
    let WorkflowRef { name, version, digest } = workflow;
    api::WorkflowRef { name, version, digest }
}

fn failure(failure: record::Failure) -> api::Failure {
    let record::Failure { class, code, message, operation, exit_code, signal, log_tail, mismatch } = failure;
    let mismatch = mismatch.map(|mismatch| {
        let record::Mismatch { field, expected, found } = *mismatch;
        Box::new(api::Mismatch { field, expected, found })
    });
    api::Failure { class: class.into(), code, message, operation, exit_code, signal, log_tail, mismatch }
}

/// A newly submitted operation.
pub(super) fn submitted(operation: &Operation) -> OperationView {
    OperationView { name: operation.name.clone(), kind: operation.kind.clone(), ..OperationView::default() }
}

/// An operation; without a row, the operation is in its submitted state.
pub(super) fn operation((name, row): (OperationName, Option<OperationRow>)) -> OperationView {
    let view = OperationView { name: name.name, kind: name.kind, ..OperationView::default() };
    let Some(row) = row else { return view };
    OperationView {
        state: row.state.into(),
        attempt: row.attempt,
        failures: row.failures,
        percent: row.percent.value(),
        message: row.message,
        started_at: row.started_at,
        ended_at: row.ended_at,
        output: row.output,
        failure: row.failure.map(failure),
        ledger: row.ledger.map(ledger),
        ..view
    }
}

fn update(update: OperationUpdate) -> OperationView {
    let OperationUpdate {
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
    } = update;
    OperationView {
        name,
        kind,
        state: state.into(),
        attempt,
        failures,
        percent: percent.value(),
        message,
        started_at,
        ended_at,
        output,
        failure: failure.map(self::failure),
        ledger: ledger.map(self::ledger),
    }
}

fn ledger(ledger: Box<record::Ledger>) -> Box<api::Ledger> {
    let record::Ledger {
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
        committed_at,
    } = *ledger;
    Box::new(api::Ledger {
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
        committed_at,
    })
}

/// An event of an agenda.
pub(super) fn event(agenda: &AgendaId, event: Event) -> api::Event {
    let Event { seq, at, state, percent, reason, operation, added, rerun } = event;
    let mut view = api::Event::new(seq, at, agenda.to_string(), state.into());
    view.percent = percent.value();
    view.reason = reason;
    view.operation = operation.map(update);
    view.added = added.map(|record::Added { generator, operations }| {
        let operations = operations.into_iter().map(|o| api::AddedOperation::new(o.name, o.kind)).collect();
        api::Added::new(generator, operations)
    });
    view.again = rerun.map(|record::RerunOperations { reset, removed }| api::Again::new(reset, removed));
    view
}

/// Events of an agenda, each with its number and its JSON.
pub(super) fn events(agenda: &AgendaId, events: Vec<Event>) -> Result<Vec<(u64, String)>, serde_json::Error> {
    let text = |event: Event| Ok((event.seq, serde_json::to_string(&self::event(agenda, event))?));
    events.into_iter().map(text).collect()
}

pub(super) fn log(chunk: LogChunk) -> api::LogChunk {
    let LogChunk { operation, attempt, stream, offset, text } = chunk;
    api::LogChunk { operation, attempt, stream, offset, text }
}

/// A template in a list.
pub(super) fn template(header: TemplateHeader) -> api::TemplateView {
    let TemplateHeader { customer, name, version, digest } = header;
    let mut view = api::TemplateView::new(name, version, digest);
    view.customer = customer.map(|customer| customer.to_string());
    view
}

pub(super) fn leases(leases: Vec<LeaseId>) -> Vec<api::LeaseId> {
    leases.into_iter().map(|LeaseId { id, epoch }| api::LeaseId { id: id.to_string(), epoch }).collect()
}

pub(super) fn results(results: Vec<ReportResult>) -> Vec<api::ReportResult> {
    let one = |result| match result {
        ReportResult::Accepted => api::ReportResult::Accepted,
        ReportResult::Stale => api::ReportResult::Stale,
    };
    results.into_iter().map(one).collect()
}

/// A setting of one kind, in the API's form.
pub(super) trait Shown: Sized {
    const KIND: Kind;

    /// The API's form of a setting of this kind.
    fn of(setting: Setting) -> Result<Self, Error>;
}

impl Shown for api::Customer {
    const KIND: Kind = Kind::Customer;

    fn of(setting: Setting) -> Result<Self, Error> {
        let Setting::Customer(record::Customer { id, title, pool }) = setting else {
            return Err(Error::internal());
        };
        Ok(Self { id, title, pool })
    }
}

impl Shown for api::Pool {
    const KIND: Kind = Kind::Pool;

    fn of(setting: Setting) -> Result<Self, Error> {
        let Setting::Pool(record::Pool { id, title }) = setting else { return Err(Error::internal()) };
        Ok(Self { id, title })
    }
}

impl Shown for api::Insight {
    const KIND: Kind = Kind::Insight;

    fn of(setting: Setting) -> Result<Self, Error> {
        let Setting::Insight(insight) = setting else { return Err(Error::internal()) };
        let record::Insight { id, title, pool, mappers, priority, queue_size, algorithm, allowed_customers } =
            insight;
        let algorithm = algorithm.into();
        Ok(Self { id, title, pool, mappers, priority, queue_size, algorithm, allowed_customers })
    }
}
