//! The interface of a scheduling policy. A policy is one file in `policies/` and one line in [`super::POLICIES`].

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use jiff::Timestamp;

use super::{Because, RowChange, Rows, StoredRows, Waiting};
use crate::ids::{AgendaNo, CustomerId, InsightId};

/// Chooses among the waiting agendas of one insight.
pub trait Policy: Debug + Send {
    /// Takes a change of the insight. `waiting` is the state after the change.
    fn on(&mut self, context: &mut Context<'_>, change: Change<'_>, waiting: &Waiting);

    /// Takes up to `request` agendas out of `waiting`, and returns them in the order in which they go.
    fn take(&mut self, context: &mut Context<'_>, request: usize, waiting: &mut Waiting) -> Vec<Taken>;
}

/// A policy that insights may name.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The policy's name in settings.
    pub name: &'static str,
    /// The policy's behaviour, in one sentence.
    pub about: &'static str,
    /// Creates the policy of an insight.
    pub start: fn(Start<'_>) -> Box<dyn Policy>,
}

/// The state from which a policy starts.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The policy's stored rows; empty for a new policy.
    pub rows: &'a StoredRows,
    /// The customers of the pool.
    pub members: &'a BTreeSet<CustomerId>,
    /// The agendas that wait already.
    pub waiting: &'a Waiting,
}

/// A change of an insight.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Change<'a> {
    /// An agenda waits.
    Arrived {
        /// The agenda's number.
        agenda: AgendaNo,
        /// The agenda's owner.
        customer: &'a CustomerId,
        /// Whether the customer had no waiting agenda before.
        first: bool,
    },
    /// A waiting agenda left without being taken by the policy.
    Withdrawn {
        /// The agenda's number.
        agenda: AgendaNo,
        /// The agenda's owner.
        customer: &'a CustomerId,
        /// Whether the customer has no waiting agenda left.
        last: bool,
    },
    /// A pool took an agenda of this customer.
    Started(&'a CustomerId),
    /// A pool finished an agenda.
    Ended {
        /// The agenda's owner.
        customer: &'a CustomerId,
        /// Time for which the pool had the agenda.
        cost: Duration,
    },
    /// A pool lost an agenda of this customer or gave it back.
    Returned(&'a CustomerId),
    /// A customer joined the pool.
    Joined(&'a CustomerId),
    /// A customer left the pool.
    Left(&'a CustomerId),
}

/// An agenda that a policy chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The agenda's number.
    pub agenda: AgendaNo,
    /// The agenda's owner.
    pub customer: CustomerId,
    /// The reason for the choice.
    pub because: Because,
}

/// The surroundings of a policy's call.
#[derive(Debug)]
pub struct Context<'a> {
    /// The time of the call.
    pub now: Timestamp,
    /// The lasting state of the policy.
    pub rows: Rows<'a>,
}

impl<'a> Context<'a> {
    pub(super) fn new(now: Timestamp, insight: &'a InsightId, changes: &'a mut Vec<RowChange>) -> Self {
        Self { now, rows: Rows::new(insight, changes) }
    }
}
