//! One insight in the scheduler: its waiting agendas, the policy that chooses among them, and the queue of the chosen
//! ones.

use std::collections::BTreeSet;

use super::queue::Queue;
use super::{
    Because, Change, Context, Decision, Destination, Entry, Policy, Registration, Restored, Start,
    StoredRows, Taken, Waiting,
};
use crate::ids::{AgendaNo, CustomerId, PoolId};

#[derive(Debug)]
pub(super) struct InsightNode {
    pub(super) pool: PoolId,
    pub(super) registration: &'static Registration,
    pub(super) queue_size: usize,
    policy: Box<dyn Policy>,
    waiting: Waiting,
    queue: Queue,
}

impl InsightNode {
    pub(super) fn new(
        pool: PoolId,
        registration: &'static Registration,
        queue_size: usize,
        rows: &StoredRows,
        members: &BTreeSet<CustomerId>,
    ) -> Self {
        let waiting = Waiting::default();
        let policy = (registration.start)(Start { rows, members, waiting: &waiting });
        Self { pool, registration, queue_size, policy, waiting, queue: Queue::default() }
    }

    /// Changes to another policy, which starts without the rows of the earlier one.
    pub(super) fn switch(&mut self, registration: &'static Registration, members: &BTreeSet<CustomerId>) {
        let rows = StoredRows::new();
        self.policy = (registration.start)(Start { rows: &rows, members, waiting: &self.waiting });
        self.registration = registration;
    }

    pub(super) fn restore(&mut self, context: &mut Context<'_>, entry: Entry<'_>, place: Restored) {
        match place {
            Restored::Waiting => self.arrived(context, entry),
            Restored::Queued(position) => {
                self.queue.insert(position, entry.agenda, entry.customer.clone());
            }
            Restored::Started => self.told(context, Change::Started(entry.customer)),
        }
    }

    pub(super) fn arrived(&mut self, context: &mut Context<'_>, entry: Entry<'_>) {
        let Entry { agenda, customer, .. } = entry;
        let first = self.waiting.insert(agenda, customer);
        self.told(context, Change::Arrived { agenda, customer, first });
    }

    pub(super) fn withdrawn(&mut self, context: &mut Context<'_>, entry: Entry<'_>) {
        let Entry { agenda, customer, .. } = entry;
        match self.waiting.remove(agenda) {
            Some((_, last)) => self.told(context, Change::Withdrawn { agenda, customer, last }),
            None => self.queue.remove(agenda),
        }
    }

    pub(super) fn returned(&mut self, context: &mut Context<'_>, entry: Entry<'_>) -> Decision {
        let Entry { agenda, customer, .. } = entry;
        self.told(context, Change::Returned(customer));
        let to = Destination::Queue(self.queue.push_front(agenda, customer.clone()));
        Decision { agenda, to, because: Because::Returned }
    }

    pub(super) fn told(&mut self, context: &mut Context<'_>, change: Change<'_>) {
        self.policy.on(context, change, &self.waiting);
    }

    /// Fills the queue to the larger of its size and `depth`.
    pub(super) fn fill(&mut self, context: &mut Context<'_>, depth: usize) -> Vec<Decision> {
        let room = self.queue_size.max(depth).saturating_sub(self.queue.len());
        if room == 0 || self.waiting.is_empty() {
            return Vec::new();
        }
        let taken = self.policy.take(context, room, &mut self.waiting);
        let queued = taken.into_iter().map(|Taken { agenda, customer, because }| {
            let to = Destination::Queue(self.queue.push_back(agenda, customer));
            Decision { agenda, to, because }
        });
        queued.collect()
    }

    /// Hands the head of the queue to the pool.
    pub(super) fn start(&mut self, context: &mut Context<'_>) -> Option<Decision> {
        let (agenda, customer) = self.queue.pop_front()?;
        self.told(context, Change::Started(&customer));
        Some(Decision { agenda, to: Destination::Pool, because: Because::Head })
    }

    /// Number of agendas that no pool has.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.queue.len()
    }

    pub(super) fn queued(&self) -> impl Iterator<Item = AgendaNo> {
        self.queue.iter()
    }
}
