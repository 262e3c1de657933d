//! The state and the place in memory of an agenda that has not ended.

use jiff::Timestamp;

use super::operation::Operation;
use super::record::{AgendaRow, AgendaState, LeaseRow, Percent};
use crate::ids::{AgendaId, AgendaNo, CustomerId, InsightId, PoolId};

/// Number of lost leases without the end of an operation that ends an agenda; for agendas that name no number.
const MAXIMUM_ATTEMPTS: u32 = 20;

/// An agenda that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Live {
    pub(super) id: AgendaId,
    pub(super) customer: CustomerId,
    pub(super) insight: InsightId,
    pub(super) pool: PoolId,
    pub(super) place: Place,
    pub(super) reason: Option<String>,
    pub(super) epoch: u64,
    /// Number of leases lost since an operation ended; `maximum_attempts` of them end the agenda.
    pub(super) lost: u32,
    pub(super) maximum_attempts: u32,
    /// Number of lost leases of this run. Their holders may have started work that the server does not know.
    pub(super) interrupted: u32,
    pub(super) seq: u64,
    pub(super) percent: Percent,
    pub(super) succeeded: u32,
    pub(super) started_at: Option<Timestamp>,
    pub(super) key: Option<String>,
    /// Sorted by name.
    pub(super) operations: Vec<Operation>,
    /// Sum of the operations' weights, in hundredths of a percent.
    pub(super) weight: u64,
    /// Number of operations that have not ended.
    pub(super) open: u32,
    /// Whether the end of the command writes the agenda's row.
    pub(super) dirty: bool,
}

/// The place of an agenda.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// Stored, never queued.
    OnHold,
    /// Waiting in its insight.
    Ready,
    /// In its insight's queue, at this position.
    Queued(i64),
    /// Leased to an agent.
    Leased(Lease),
}

/// The lease of an agenda.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lease {
    pub(super) row: LeaseRow,
    /// Start of the lease, or of the server if that is later. Kept in memory only.
    pub(super) since: Timestamp,
    /// End of the lease. Kept in memory only.
    pub(super) until: Timestamp,
    /// Whether an operation has started under the lease.
    pub(super) started: bool,
}

impl Live {
    pub(super) fn state(&self) -> AgendaState {
        match &self.place {
            Place::OnHold | Place::Ready => AgendaState::Ready,
            Place::Queued(_) => AgendaState::Queued,
            Place::Leased(lease) if lease.started => AgendaState::Executing,
            Place::Leased(_) => AgendaState::Leased,
        }
    }

    pub(super) fn cancelling(&self) -> bool {
        matches!(&self.place, Place::Leased(lease) if lease.row.cancelling)
    }

    /// The index of an operation.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.operations.binary_search_by(|o| o.name.as_ref().cmp(name)).ok()
    }

    /// Computes the weight and the number of open operations from the operations.
    pub(super) fn recount(&mut self) {
        self.weight = self.operations.iter().map(Operation::weight).sum();
        self.open =
            self.operations.iter().filter(|o| !o.state.is_terminal()).count().try_into().unwrap_or(u32::MAX);
    }

    /// Updates the agenda's percent, which never goes down here.
    pub(super) fn update_percent(&mut self) {
        self.percent = self.percent.max(self.percent_now());
    }

    pub(super) fn percent_now(&self) -> Percent {
        Percent::from_hundredths(self.weight / (self.operations.len() as u64).max(1))
    }

    pub(super) fn row(&self, no: AgendaNo) -> AgendaRow {
        AgendaRow {
            no,
            state: self.state(),
            on_hold: self.place == Place::OnHold,
            reason: self.reason.clone(),
            epoch: self.epoch,
            lost: self.lost,
            interrupted: self.interrupted,
            seq: self.seq,
            percent: self.percent,
            total: u32::try_from(self.operations.len()).unwrap_or(u32::MAX),
            succeeded: self.succeeded,
            queue_position: if let Place::Queued(at) = self.place { Some(at) } else { None },
            lease: if let Place::Leased(lease) = &self.place { Some(lease.row.clone()) } else { None },
            started_at: self.started_at,
            ended_at: None,
        }
    }
}

/// Number of leases in a row whose loss ends an agenda; at least 1.
pub(super) fn attempts(asked: Option<u32>) -> u32 {
    asked.unwrap_or(MAXIMUM_ATTEMPTS).max(1)
}
