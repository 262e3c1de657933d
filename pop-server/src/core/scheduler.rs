//! The seam of the scheduling policies: which agendas go into an insight's queue next. What is ready lies in
//! [`ReadySet`]; a [`Policy`] only decides the order. Leases and queues live elsewhere.

mod fifo;
mod round_robin;

use std::collections::{BTreeMap, BTreeSet};

pub use fifo::Fifo;
pub use round_robin::RoundRobin;

use super::record::Algorithm;
use crate::ids::{AgendaNo, CustomerId};

/// The agendas of one insight that wait for their turn, by age and by customer. All operations cost O(log n).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadySet {
    by_age: BTreeMap<AgendaNo, CustomerId>,
    by_customer: BTreeMap<CustomerId, BTreeSet<AgendaNo>>,
}

impl ReadySet {
    /// Adds an agenda; `true` if its customer had none before.
    fn insert(&mut self, agenda: AgendaNo, customer: &CustomerId) -> bool {
        self.by_age.insert(agenda, customer.clone());
        if let Some(own) = self.by_customer.get_mut(customer) {
            own.insert(agenda);
            return false;
        }
        self.by_customer.insert(customer.clone(), BTreeSet::from([agenda]));
        true
    }

    /// Takes an agenda out; its customer, if that has none left now.
    fn remove(&mut self, agenda: AgendaNo) -> Option<CustomerId> {
        let customer = self.by_age.remove(&agenda)?;
        let own = self.by_customer.get_mut(&customer)?;
        own.remove(&agenda);
        if own.is_empty() {
            self.by_customer.remove(&customer);
            return Some(customer);
        }
        None
    }

    /// The oldest agenda of all.
    fn oldest(&self) -> Option<AgendaNo> {
        self.by_age.keys().next().copied()
    }

    /// The oldest agenda of one customer.
    fn oldest_of(&self, customer: &CustomerId) -> Option<AgendaNo> {
        self.by_customer.get(customer)?.first().copied()
    }

    /// The customers that have something, by id.
    fn customers(&self) -> impl Iterator<Item = &CustomerId> {
        self.by_customer.keys()
    }

    /// How many agendas wait.
    pub fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }
}

/// What a policy chose, and what it must not forget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// In this order.
    pub agendas: Vec<AgendaNo>,
    /// How the turns changed.
    pub turns: TurnChange,
}

/// A change to the customers whose turn in the current round is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TurnChange {
    /// None.
    #[default]
    Unchanged,
    /// These, too, have had their turn.
    Spent(Vec<CustomerId>),
    /// A new round, in which these have had their turn already.
    Round(Vec<CustomerId>),
}

/// How an insight chooses what is next.
///
/// The caller tells a policy when a customer gets its first ready agenda ([`Policy::activated`]) or loses its last one
/// other than by [`Policy::take`] ([`Policy::idled`]).
pub trait Policy {
    /// Takes up to `request` agendas out of `ready`. `members` is the number of customers of the pool.
    fn take(&mut self, request: usize, ready: &mut ReadySet, members: usize) -> Taken;

    /// A customer has ready agendas now.
    fn activated(&mut self, customer: &CustomerId);

    /// A customer has no ready agendas any more.
    fn idled(&mut self, customer: &CustomerId);

    /// A customer joined the pool. What must not be forgotten about that, if anything.
    fn joined(&mut self, customer: &CustomerId) -> TurnChange;

    /// A customer left the pool.
    fn left(&mut self, customer: &CustomerId);
}

/// The ready agendas of one insight together with its policy: the two can't get out of step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduler {
    ready: ReadySet,
    policy: AnyPolicy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum AnyPolicy {
    Fifo(Fifo),
    RoundRobin(RoundRobin),
}

impl AnyPolicy {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Fifo => Self::Fifo(Fifo),
            Algorithm::RoundRobin => Self::RoundRobin(RoundRobin::default()),
        }
    }

    fn get(&mut self) -> &mut dyn Policy {
        match self {
            Self::Fifo(policy) => policy,
            Self::RoundRobin(policy) => policy,
        }
    }
}

impl Scheduler {
    /// An empty one. `spent` are the customers that have had their turn, as stored.
    pub fn new(algorithm: Algorithm, spent: BTreeSet<CustomerId>) -> Self {
        let policy = match algorithm {
            Algorithm::Fifo => AnyPolicy::Fifo(Fifo),
            Algorithm::RoundRobin => AnyPolicy::RoundRobin(RoundRobin::resume(spent)),
        };
        Self { ready: ReadySet::default(), policy }
    }

    /// Adds an agenda.
    pub fn insert(&mut self, agenda: AgendaNo, customer: &CustomerId) {
        if self.ready.insert(agenda, customer) {
            self.policy.get().activated(customer);
        }
    }

    /// Takes an agenda out, wherever it stands.
    pub fn remove(&mut self, agenda: AgendaNo) {
        if let Some(customer) = self.ready.remove(agenda) {
            self.policy.get().idled(&customer);
        }
    }

    /// Takes up to `request` agendas in the policy's order.
    pub fn take(&mut self, request: usize, members: usize) -> Taken {
        self.policy.get().take(request, &mut self.ready, members)
    }

    /// A customer joined the pool.
    pub fn joined(&mut self, customer: &CustomerId) -> TurnChange {
        self.policy.get().joined(customer)
    }

    /// A customer left the pool.
    pub fn left(&mut self, customer: &CustomerId) {
        self.policy.get().left(customer);
    }

    /// Goes over to another policy; a new one starts a new round.
    pub fn switch(&mut self, algorithm: Algorithm) -> TurnChange {
        let same = matches!(
            (&self.policy, algorithm),
            (AnyPolicy::Fifo(_), Algorithm::Fifo) | (AnyPolicy::RoundRobin(_), Algorithm::RoundRobin)
        );
        if same {
            return TurnChange::Unchanged;
        }
        self.policy = AnyPolicy::new(algorithm);
        for customer in self.ready.customers() {
            self.policy.get().activated(customer);
        }
        TurnChange::Round(Vec::new())
    }

    /// How many agendas wait.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }
}
