//! One agenda in memory, until it has ended: what is known of it, and where it is.

use jiff::Timestamp;

use super::operation::Operation;
use super::record::{AgendaRow, AgendaState, LeaseRow, Percent};
use crate::ids::{AgendaId, AgendaNo, CustomerId, InsightId, PoolId};

/// How often an agenda that says nothing of it may be handed out without any of its operations ending.
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
    /// Leases that were lost since one of its operations ended, and how many may be.
    pub(super) lost: u32,
    pub(super) maximum_attempts: u32,
    /// A lease of this run was lost: its pool may have started what the server has not heard of.
    pub(super) interrupted: u32,
    pub(super) seq: u64,
    pub(super) percent: Percent,
    pub(super) succeeded: u32,
    pub(super) started_at: Option<Timestamp>,
    pub(super) key: Option<String>,
    /// By name.
    pub(super) operations: Vec<Operation>,
    /// Sum of the operations' weights, in hundredths of a percent.
    pub(super) weight: u64,
    /// Operations that have not ended.
    pub(super) open: u32,
    /// Its row is to be written at the end of the command.
    pub(super) dirty: bool,
}

/// Where an agenda is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// Stored, never queued.
    OnHold,
    /// In its insight's scheduler.
    Ready,
    /// At this place in its insight's queue.
    Queued(i64),
    /// With a pool.
    Leased(Lease),
}

/// Who holds an agenda.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lease {
    pub(super) row: LeaseRow,
    /// Began then; after a restart of the server, that is when it began. Kept in memory only.
    pub(super) since: Timestamp,
    /// Ends then. Kept in memory only.
    pub(super) until: Timestamp,
    /// An operation has started under it.
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

    /// The operation of that name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.operations.binary_search_by(|o| o.name.as_ref().cmp(name)).ok()
    }

    /// Counts the operations again.
    pub(super) fn recount(&mut self) {
        self.weight = self.operations.iter().map(Operation::weight).sum();
        self.open =
            self.operations.iter().filter(|o| !o.state.is_terminal()).count().try_into().unwrap_or(u32::MAX);
    }

    /// Never goes down.
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

/// How many leases of an agenda may be lost in a row.
pub(super) fn attempts(asked: Option<u32>) -> u32 {
    asked.unwrap_or(MAXIMUM_ATTEMPTS).max(1)
}
