//! The seam of the policies. A policy is one file in `policies/` and one line in [`super::POLICIES`].

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use jiff::Timestamp;

use super::{Because, RowChange, Rows, StoredRows, Waiting};
use crate::ids::{AgendaNo, CustomerId, InsightId};

/// Chooses among the waiting agendas of one insight.
pub trait Policy: Debug + Send {
    /// Something happened to the insight. `waiting` is as it is afterwards.
    fn on(&mut self, context: &mut Context<'_>, change: Change<'_>, waiting: &Waiting);

    /// Takes up to `request` agendas out of `waiting`, in the order in which they go.
    fn take(&mut self, context: &mut Context<'_>, request: usize, waiting: &mut Waiting) -> Vec<Taken>;
}

/// A policy that insights may name.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// Its name in settings.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Makes one for an insight.
    pub start: fn(Start<'_>) -> Box<dyn Policy>,
}

/// What a policy starts with.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Its rows as stored; empty where it is new.
    pub rows: &'a StoredRows,
    /// The customers of the pool.
    pub members: &'a BTreeSet<CustomerId>,
    /// What waits already.
    pub waiting: &'a Waiting,
}

/// What happened to an insight.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Change<'a> {
    /// An agenda waits.
    Arrived {
        /// Which.
        agenda: AgendaNo,
        /// Its owner.
        customer: &'a CustomerId,
        /// Whether its customer had none that waited.
        first: bool,
    },
    /// An agenda waits no more, and no policy took it.
    Withdrawn {
        /// Which.
        agenda: AgendaNo,
        /// Its owner.
        customer: &'a CustomerId,
        /// Whether its customer has none left that waits.
        last: bool,
    },
    /// A pool has an agenda of this customer.
    Started(&'a CustomerId),
    /// A pool was done with one, after this time.
    Ended {
        /// Its owner.
        customer: &'a CustomerId,
        /// How long the pool had it.
        cost: Duration,
    },
    /// A pool lost one or gave it back.
    Returned(&'a CustomerId),
    /// A customer joined the pool.
    Joined(&'a CustomerId),
    /// A customer left the pool.
    Left(&'a CustomerId),
}

/// An agenda that a policy chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub agenda: AgendaNo,
    /// Its owner.
    pub customer: CustomerId,
    /// Why.
    pub because: Because,
}

/// What surrounds a call of a policy.
#[derive(Debug)]
pub struct Context<'a> {
    /// The time.
    pub now: Timestamp,
    /// What the policy must not forget.
    pub rows: Rows<'a>,
}

impl<'a> Context<'a> {
    pub(super) fn new(now: Timestamp, insight: &'a InsightId, changes: &'a mut Vec<RowChange>) -> Self {
        Self { now, rows: Rows::new(insight, changes) }
    }
}
