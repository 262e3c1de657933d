//! What the core holds in memory, and the few primitive moves that keep its parts in step. The commands themselves live
//! in the files beside this one. Ended agendas leave the memory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pop_sdk::api::{AgendaState, Customer, Event, Failure, Insight, OperationView, Pool};
use serde_json::Value;

use super::Tx;
use super::command::Effect;
use super::operation::Operation;
use super::phase::{Next, Step, next};
use super::record::{AgendaHeader, AgendaRow, LeaseRow, LiveRow, OperationName, Percent, Snapshot, Write};
use super::scheduler::{Scheduler, TurnChange};
use crate::ids::{AgendaId, AgendaNo, CustomerId, InsightId, PoolId};

/// How many ended agendas are remembered, so that a repeated last report is not called stale.
const REMEMBERED_ENDS: usize = 4096;
/// For how long the key of an ended agenda is remembered; by then every submit with that key finds it in the store.
const REMEMBERED_KEY: Duration = Duration::from_mins(10);

/// Everything.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) customers: BTreeMap<CustomerId, CustomerState>,
    pub(super) pools: BTreeMap<PoolId, PoolState>,
    pub(super) insights: BTreeMap<InsightId, InsightState>,
    pub(super) agendas: HashMap<AgendaNo, Live>,
    pub(super) ids: HashMap<AgendaId, AgendaNo>,
    pub(super) keys: HashMap<(CustomerId, String), AgendaId>,
    pub(super) last_no: AgendaNo,
    /// Ends of the leases.
    deadlines: BTreeSet<(Timestamp, AgendaNo)>,
    /// Live leases by agent, then by the call that pulled.
    holders: HashMap<(PoolId, String), BTreeMap<String, BTreeSet<AgendaNo>>>,
    kinds: HashSet<Arc<str>>,
    ended: HashMap<AgendaId, u64>,
    ended_order: VecDeque<AgendaId>,
    old_keys: VecDeque<(Timestamp, CustomerId, String)>,
    touched: Vec<AgendaNo>,
}

#[derive(Debug)]
pub(super) struct CustomerState {
    pub(super) config: Customer,
    pub(super) pool: PoolId,
    pub(super) live: usize,
}

#[derive(Debug)]
pub(super) struct PoolState {
    pub(super) config: Pool,
    /// How many customers it has.
    pub(super) members: usize,
    pub(super) insights: BTreeSet<InsightId>,
    /// The insight that was served last; the next pull starts after it.
    pub(super) served: Option<InsightId>,
}

#[derive(Debug)]
pub(super) struct InsightState {
    pub(super) config: Insight,
    pub(super) pool: PoolId,
    pub(super) live: usize,
    pub(super) scheduler: Scheduler,
    pub(super) queue: BTreeMap<i64, AgendaNo>,
}

impl InsightState {
    pub(super) fn new(config: Insight, spent: BTreeSet<CustomerId>) -> Self {
        Self {
            pool: PoolId::from(config.pool.as_str()),
            live: 0,
            scheduler: Scheduler::new(config.algorithm, spent),
            queue: BTreeMap::new(),
            config,
        }
    }
}

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
    dirty: bool,
}

/// Where an agenda is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// Stored, never queued.
    Held,
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
    /// An operation has started under it.
    pub(super) started: bool,
}

impl Live {
    pub(super) fn state(&self) -> AgendaState {
        match &self.place {
            Place::Held | Place::Ready => AgendaState::Ready,
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
    fn recount(&mut self) {
        self.weight = self.operations.iter().map(Operation::weight).sum();
        self.open =
            self.operations.iter().filter(|o| !o.state.is_terminal()).count().try_into().unwrap_or(u32::MAX);
    }

    /// Never goes down.
    pub(super) fn update_percent(&mut self) {
        let now = Percent::from_hundredths(self.weight / (self.operations.len() as u64).max(1));
        self.percent = self.percent.max(now);
    }

    pub(super) fn row(&self, no: AgendaNo) -> AgendaRow {
        AgendaRow {
            no,
            state: self.state(),
            held: self.place == Place::Held,
            reason: self.reason.clone(),
            epoch: self.epoch,
            seq: self.seq,
            percent: self.percent,
            succeeded: self.succeeded,
            queue_position: if let Place::Queued(at) = self.place { Some(at) } else { None },
            lease: if let Place::Leased(lease) = &self.place { Some(lease.row.clone()) } else { None },
            started_at: self.started_at,
            ended_at: None,
        }
    }
}

impl State {
    /// The state as stored.
    pub(super) fn load(snapshot: Snapshot) -> Self {
        let mut state = Self { last_no: snapshot.last_no, ..Self::default() };
        for pool in snapshot.pools {
            state.add_pool(pool);
        }
        for customer in snapshot.customers {
            state.add_customer(customer);
        }
        let mut turns = snapshot.turns;
        for insight in snapshot.insights {
            let spent = turns.remove(insight.id.as_str()).unwrap_or_default();
            state.add_insight(InsightState::new(insight, spent));
        }
        for live in snapshot.live {
            state.restore(live);
        }
        state
    }

    fn restore(&mut self, stored: LiveRow) {
        let LiveRow { header, row, operations, changed, idempotency_key } = stored;
        let mut by_position = self.new_operations(&operations);
        for change in &changed {
            if let Some(operation) = by_position.get_mut(change.position as usize) {
                operation.restore(change);
            }
        }
        let place = match (row.state, row.lease) {
            (AgendaState::Leased | AgendaState::Executing, Some(lease)) => {
                Place::Leased(Lease { row: lease, started: row.state == AgendaState::Executing })
            }
            (AgendaState::Queued, _) => Place::Queued(row.queue_position.unwrap_or(0)),
            _ if row.held => Place::Held,
            _ => Place::Ready,
        };
        let live = Live {
            id: header.id,
            customer: header.customer,
            insight: header.insight,
            pool: header.pool,
            place,
            reason: row.reason,
            epoch: row.epoch,
            seq: row.seq,
            percent: row.percent,
            succeeded: row.succeeded,
            started_at: row.started_at,
            key: idempotency_key,
            operations: sorted(by_position),
            weight: 0,
            open: 0,
            dirty: false,
        };
        self.insert(row.no, live);
    }

    /// The operations as submitted, in their order.
    fn new_operations(&mut self, operations: &[OperationName]) -> Vec<Operation> {
        operations
            .iter()
            .zip(0..)
            .map(|(o, position)| {
                let kind = self.kind(&o.kind);
                Operation::new(&o.name, kind, position)
            })
            .collect()
    }

    /// One copy of each type's name.
    fn kind(&mut self, name: &str) -> Arc<str> {
        if let Some(kind) = self.kinds.get(name) {
            return Arc::clone(kind);
        }
        let kind: Arc<str> = Arc::from(name);
        self.kinds.insert(Arc::clone(&kind));
        kind
    }

    /// A new agenda that nobody has seen yet.
    pub(super) fn new_live(
        &mut self,
        header: &AgendaHeader,
        place: Place,
        key: Option<String>,
        operations: &[OperationName],
    ) -> Live {
        let operations = sorted(self.new_operations(operations));
        Live {
            id: header.id.clone(),
            customer: header.customer.clone(),
            insight: header.insight.clone(),
            pool: header.pool.clone(),
            place,
            reason: None,
            epoch: 0,
            seq: 0,
            percent: Percent::default(),
            succeeded: 0,
            started_at: None,
            key,
            operations,
            weight: 0,
            open: 0,
            dirty: false,
        }
    }

    /// Adds an agenda at its place, in every index.
    pub(super) fn insert(&mut self, no: AgendaNo, mut live: Live) {
        live.recount();
        if let Some(customer) = self.customers.get_mut(&live.customer) {
            customer.live += 1;
        }
        if let Some(insight) = self.insights.get_mut(&live.insight) {
            insight.live += 1;
        }
        if let Some(key) = &live.key {
            self.keys.insert((live.customer.clone(), key.clone()), live.id.clone());
        }
        self.ids.insert(live.id.clone(), no);
        self.last_no = self.last_no.max(no);
        self.index(no, &live);
        self.agendas.insert(no, live);
    }

    fn index(&mut self, no: AgendaNo, live: &Live) {
        match &live.place {
            Place::Held => {}
            Place::Ready => {
                if let Some(insight) = self.insights.get_mut(&live.insight) {
                    insight.scheduler.insert(no, &live.customer);
                }
            }
            Place::Queued(at) => {
                if let Some(insight) = self.insights.get_mut(&live.insight) {
                    insight.queue.insert(*at, no);
                }
            }
            Place::Leased(lease) => {
                self.deadlines.insert((lease.row.until, no));
                self.holders
                    .entry((live.pool.clone(), lease.row.worker.clone()))
                    .or_default()
                    .entry(lease.row.request.clone())
                    .or_default()
                    .insert(no);
            }
        }
    }

    fn unindex(&mut self, no: AgendaNo, insight: &InsightId, pool: &PoolId, place: &Place) {
        match place {
            Place::Held => {}
            Place::Ready => {
                if let Some(insight) = self.insights.get_mut(insight) {
                    insight.scheduler.remove(no);
                }
            }
            Place::Queued(at) => {
                if let Some(insight) = self.insights.get_mut(insight) {
                    insight.queue.remove(at);
                }
            }
            Place::Leased(lease) => {
                self.deadlines.remove(&(lease.row.until, no));
                let holder = (pool.clone(), lease.row.worker.clone());
                if let Some(requests) = self.holders.get_mut(&holder) {
                    if let Some(held) = requests.get_mut(&lease.row.request) {
                        held.remove(&no);
                        if held.is_empty() {
                            requests.remove(&lease.row.request);
                        }
                    }
                    if requests.is_empty() {
                        self.holders.remove(&holder);
                    }
                }
            }
        }
    }

    /// Moves an agenda to another place, in every index.
    pub(super) fn relocate(&mut self, no: AgendaNo, place: Place, reason: Option<String>) {
        let Some(mut live) = self.agendas.remove(&no) else { return };
        self.unindex(no, &live.insight, &live.pool, &live.place);
        live.place = place;
        live.reason = reason;
        self.index(no, &live);
        self.agendas.insert(no, live);
        self.touch(no);
    }

    /// Sets the end of a lease.
    pub(super) fn set_deadline(&mut self, no: AgendaNo, until: Timestamp) {
        let Some(Live { place: Place::Leased(lease), .. }) = self.agendas.get_mut(&no) else { return };
        self.deadlines.remove(&(lease.row.until, no));
        lease.row.until = until;
        self.deadlines.insert((until, no));
    }

    /// Its row is written at the end of the command.
    pub(super) fn touch(&mut self, no: AgendaNo) {
        if let Some(live) = self.agendas.get_mut(&no)
            && !live.dirty
        {
            live.dirty = true;
            self.touched.push(no);
        }
    }

    /// One more event: the agenda as it is now, and the operation that changed.
    pub(super) fn emit(&mut self, tx: &mut Tx, no: AgendaNo, operation: Option<OperationView>) {
        self.touch(no);
        let Some(live) = self.agendas.get_mut(&no) else { return };
        live.seq += 1;
        let event = Event {
            seq: live.seq,
            at: tx.now,
            agenda: live.id.to_string(),
            state: live.state(),
            percent: live.percent.value(),
            reason: live.reason.clone(),
            operation,
        };
        tx.writes.push(Write::Event(no, Box::new(event)));
        tx.changed(&live.id);
    }

    /// The agenda ends and leaves the memory. Its last event says so.
    pub(super) fn end(
        &mut self,
        tx: &mut Tx,
        no: AgendaNo,
        state: AgendaState,
        reason: Option<String>,
        outputs: Option<Value>,
        failure: Option<Failure>,
    ) {
        let Some(live) = self.agendas.remove(&no) else { return };
        self.unindex(no, &live.insight, &live.pool, &live.place);
        self.ids.remove(&live.id);
        if let Some(customer) = self.customers.get_mut(&live.customer) {
            customer.live = customer.live.saturating_sub(1);
        }
        if let Some(insight) = self.insights.get_mut(&live.insight) {
            insight.live = insight.live.saturating_sub(1);
        }
        if let Some(key) = &live.key {
            self.old_keys.push_back((tx.now, live.customer.clone(), key.clone()));
        }
        self.ended.insert(live.id.clone(), live.epoch);
        self.ended_order.push_back(live.id.clone());
        if self.ended_order.len() > REMEMBERED_ENDS
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }

        let percent = if state == AgendaState::Succeeded { Percent::FULL } else { live.percent };
        let event = Event {
            seq: live.seq + 1,
            at: tx.now,
            agenda: live.id.to_string(),
            state,
            percent: percent.value(),
            reason: reason.clone(),
            operation: None,
        };
        let row = AgendaRow {
            state,
            held: false,
            reason,
            seq: live.seq + 1,
            percent,
            queue_position: None,
            lease: None,
            ended_at: Some(tx.now),
            ..live.row(no)
        };
        tx.writes.push(Write::Agenda(row));
        tx.writes.push(Write::Ended(no, outputs, failure));
        tx.writes.push(Write::Event(no, Box::new(event)));
        tx.changed(&live.id);
    }

    /// The epoch under which an agenda ended, if that is not long ago.
    pub(super) fn ended_epoch(&self, id: &str) -> Option<u64> {
        self.ended.get(id).copied()
    }

    /// The leases of an agent, by the call that pulled them.
    pub(super) fn held(&self, pool: &PoolId, worker: &str) -> Option<&BTreeMap<String, BTreeSet<AgendaNo>>> {
        self.holders.get(&(pool.clone(), worker.to_owned()))
    }

    /// Agendas whose lease has ended, the newest first.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<AgendaNo> {
        let mut overdue: Vec<AgendaNo> =
            self.deadlines.iter().take_while(|(until, _)| *until <= now).map(|(_, no)| *no).collect();
        overdue.sort_unstable_by(|a, b| b.cmp(a));
        overdue
    }

    pub(super) fn extend_overdue_leases(&mut self, now: Timestamp, lease: Duration) {
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        for no in self.overdue(now) {
            self.set_deadline(no, until);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    /// Fills the queue of an insight up to `depth` from what is ready.
    pub(super) fn fill(&mut self, tx: &mut Tx, id: &InsightId, depth: usize) {
        let Some(insight) = self.insights.get_mut(id) else { return };
        let room = depth.saturating_sub(insight.queue.len());
        if room == 0 || insight.scheduler.is_empty() {
            return;
        }
        let members = self.pools.get(&insight.pool).map_or(0, |p| p.members);
        let taken = insight.scheduler.take(room, members);
        let mut at = insight.queue.last_key_value().map_or(0, |(at, _)| at + 1);
        tx.turns(id, taken.turns);
        tx.work(&insight.pool);
        for no in taken.agendas {
            if let Some(live) = self.agendas.get_mut(&no)
                && next(live.state(), false, Step::Enqueue) == Next::To(AgendaState::Queued)
            {
                // The policy took it out of the scheduler already.
                live.place = Place::Queued(at);
                live.reason = None;
                insight_queue(&mut self.insights, id, at, no);
                at += 1;
                self.emit(tx, no, None);
            }
        }
    }

    /// Fills the queue of an insight up to its size.
    pub(super) fn top_up(&mut self, tx: &mut Tx, id: &InsightId) {
        let size = self.insights.get(id).map_or(0, |i| i.config.queue_size as usize);
        self.fill(tx, id, size);
    }

    pub(super) fn add_pool(&mut self, config: Pool) {
        let id = PoolId::from(config.id.as_str());
        match self.pools.get_mut(&id) {
            Some(pool) => pool.config = config,
            None => {
                self.pools
                    .insert(id, PoolState { config, members: 0, insights: BTreeSet::new(), served: None });
            }
        }
    }

    pub(super) fn add_customer(&mut self, config: Customer) {
        let pool = PoolId::from(config.pool.as_str());
        if let Some(pool) = self.pools.get_mut(&pool) {
            pool.members += 1;
        }
        self.customers.insert(CustomerId::from(config.id.as_str()), CustomerState { config, pool, live: 0 });
    }

    pub(super) fn add_insight(&mut self, insight: InsightState) {
        let id = InsightId::from(insight.config.id.as_str());
        if let Some(pool) = self.pools.get_mut(&insight.pool) {
            pool.insights.insert(id.clone());
        }
        self.insights.insert(id, insight);
    }

    /// Writes the rows of what the command touched, and forgets old keys.
    pub(super) fn flush(&mut self, tx: &mut Tx) {
        for no in std::mem::take(&mut self.touched) {
            if let Some(live) = self.agendas.get_mut(&no) {
                live.dirty = false;
                tx.writes.push(Write::Agenda(live.row(no)));
            }
        }
        while let Some((ended_at, ..)) = self.old_keys.front()
            && tx.now.duration_since(*ended_at).unsigned_abs() > REMEMBERED_KEY
        {
            if let Some((_, customer, key)) = self.old_keys.pop_front() {
                self.keys.remove(&(customer, key));
            }
        }
    }
}

fn insight_queue(insights: &mut BTreeMap<InsightId, InsightState>, id: &InsightId, at: i64, no: AgendaNo) {
    if let Some(insight) = insights.get_mut(id) {
        insight.queue.insert(at, no);
    }
}

fn sorted(mut operations: Vec<Operation>) -> Vec<Operation> {
    operations.sort_by(|a, b| a.name.cmp(&b.name));
    operations
}

impl Tx {
    fn changed(&mut self, agenda: &AgendaId) {
        let effect = Effect::Changed(agenda.clone());
        if self.effects.last() != Some(&effect) {
            self.effects.push(effect);
        }
    }

    /// Work waits in a queue of this pool.
    pub(super) fn work(&mut self, pool: &PoolId) {
        self.effects.push(Effect::WorkAvailable(pool.clone()));
    }

    /// Stores a change of turns.
    pub(super) fn turns(&mut self, insight: &InsightId, change: TurnChange) {
        match change {
            TurnChange::Unchanged => {}
            TurnChange::Spent(customers) => self.writes.push(Write::SpendTurns(insight.clone(), customers)),
            TurnChange::Round(customers) => self.writes.push(Write::StartRound(insight.clone(), customers)),
        }
    }
}
