//! The core's state in memory, and the primitive changes that keep its parts consistent. The sibling files hold the
//! commands. Ended agendas leave the memory.

mod history;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Tx;
use super::agents::Agents;
use super::command::Effect;
use super::live::{Lease, Live, Place, attempts};
use super::operation::Operation;
use super::record::{
    AgendaHeader, AgendaState, Customer, Insight, LiveRow, OperationName, Percent, Pool, Snapshot, Write,
};
use crate::ids::{AgendaId, AgendaNo, CustomerId, InsightId, PoolId};
use crate::scheduler::{POLICIES, Scheduler, Setting, StoredRows};

/// Time for which the key of an ended agenda stays in memory. After this time, every submit with the key finds the key
/// in the store.
const REMEMBERED_KEY: Duration = Duration::from_mins(10);

/// The core's state in memory.
#[derive(Debug)]
pub(super) struct State {
    pub(super) customers: BTreeMap<CustomerId, CustomerState>,
    pub(super) pools: BTreeMap<PoolId, PoolState>,
    pub(super) insights: BTreeMap<InsightId, InsightState>,
    pub(super) agendas: HashMap<AgendaNo, Live>,
    pub(super) ids: HashMap<AgendaId, AgendaNo>,
    pub(super) keys: HashMap<(CustomerId, String), AgendaId>,
    pub(super) last_no: AgendaNo,
    pub(super) agents: Agents,
    pub(super) scheduler: Scheduler,
    #[cfg(test)]
    pub(super) panic_at_tick: bool,
    /// The digest of each template, by owner (none for all customers) and name.
    pub(super) templates: BTreeMap<(Option<CustomerId>, String), String>,
    /// Ends of the leases.
    deadlines: BTreeSet<(Timestamp, AgendaNo)>,
    /// Leased agendas by agent, then by the call that pulled.
    holders: HashMap<(PoolId, String), BTreeMap<String, BTreeSet<AgendaNo>>>,
    kinds: HashSet<Arc<str>>,
    /// The epoch and the number of the last event of recently ended agendas.
    ended: HashMap<AgendaId, (u64, u64)>,
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
    /// Number of the pool's customers.
    pub(super) members: usize,
    pub(super) insights: BTreeSet<InsightId>,
}

#[derive(Debug)]
pub(super) struct InsightState {
    pub(super) config: Insight,
    pub(super) pool: PoolId,
    pub(super) live: usize,
}

impl InsightState {
    pub(super) fn new(config: Insight) -> Self {
        Self { pool: PoolId::from(config.pool.as_str()), live: 0, config }
    }
}

impl State {
    fn empty() -> Self {
        Self {
            customers: BTreeMap::new(),
            pools: BTreeMap::new(),
            insights: BTreeMap::new(),
            agendas: HashMap::new(),
            ids: HashMap::new(),
            keys: HashMap::new(),
            last_no: AgendaNo::default(),
            agents: Agents::default(),
            scheduler: Scheduler::new(POLICIES),
            #[cfg(test)]
            panic_at_tick: false,
            templates: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            holders: HashMap::new(),
            kinds: HashSet::new(),
            ended: HashMap::new(),
            ended_order: VecDeque::new(),
            old_keys: VecDeque::new(),
            touched: Vec::new(),
        }
    }

    /// The stored state; every lease ends at `until`.
    pub(super) fn load(snapshot: Snapshot, now: Timestamp, until: Timestamp) -> Self {
        let mut state = Self { last_no: snapshot.last_no, ..Self::empty() };
        for pool in snapshot.pools {
            state.add_pool(pool);
        }
        for customer in snapshot.customers {
            state.add_customer(customer);
        }
        state.templates = snapshot.templates.into_iter().map(|t| ((t.customer, t.name), t.digest)).collect();
        for (id, customer) in &state.customers {
            let joined = Setting::Joined(id, &customer.pool);
            state.scheduler.on(now, crate::scheduler::Event::Configured(joined));
        }
        let none = StoredRows::new();
        for insight in snapshot.insights {
            let insight = InsightState::new(insight);
            let id = InsightId::from(insight.config.id.as_str());
            let rows = snapshot.policies.get(&id).unwrap_or(&none);
            let Insight { algorithm, queue_size, .. } = &insight.config;
            state.scheduler.restore_insight(&id, &insight.pool, algorithm, *queue_size as usize, rows);
            state.add_insight(insight);
        }
        for live in snapshot.live {
            let no = live.row.no;
            state.restore(live, now, until);
            state.restore_place(now, no);
        }
        let mut agents = Agents::default();
        for (agent, requests) in &state.holders {
            let leases = requests.values().flatten().filter_map(|no| state.agendas.get(no));
            let instances = leases.filter_map(|live| match &live.place {
                Place::Leased(lease) => Some(lease.row.instance.as_str()),
                _ => None,
            });
            agents.restore(now, agent.clone(), &instances.collect());
        }
        state.agents = agents;
        state
    }

    /// Adds a stored agenda; its lease ends at `until`.
    pub(super) fn restore(&mut self, stored: LiveRow, now: Timestamp, until: Timestamp) {
        let LiveRow { header, row, operations, changed, idempotency_key } = stored;
        let mut by_position = self.new_operations(&operations);
        for change in &changed {
            if let Some(operation) = by_position.get_mut(change.position as usize) {
                operation.restore(change);
            }
        }
        let place = match (row.state, row.lease) {
            (AgendaState::Leased | AgendaState::Executing, Some(lease)) => Place::Leased(Lease {
                row: lease,
                since: now,
                until,
                started: row.state == AgendaState::Executing,
            }),
            (AgendaState::Queued, _) => Place::Queued(row.queue_position.unwrap_or(0)),
            _ if row.on_hold => Place::OnHold,
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
            lost: row.lost,
            interrupted: row.interrupted,
            maximum_attempts: attempts(header.maximum_attempts),
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

    /// The operations in their submitted state, in the agenda's order.
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

    /// The shared copy of a type's name.
    fn kind(&mut self, name: &str) -> Arc<str> {
        if let Some(kind) = self.kinds.get(name) {
            return Arc::clone(kind);
        }
        let kind: Arc<str> = Arc::from(name);
        self.kinds.insert(Arc::clone(&kind));
        kind
    }

    /// A new agenda that no agent has had yet.
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
            lost: 0,
            interrupted: 0,
            maximum_attempts: attempts(header.maximum_attempts),
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

    /// Adds an agenda with its place to every index.
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

    /// Adds the agenda's lease, if any, to the indexes.
    fn index(&mut self, no: AgendaNo, live: &Live) {
        let Place::Leased(lease) = &live.place else { return };
        self.deadlines.insert((lease.until, no));
        self.holders
            .entry((live.pool.clone(), lease.row.worker.clone()))
            .or_default()
            .entry(lease.row.request.clone())
            .or_default()
            .insert(no);
    }

    fn unindex(&mut self, no: AgendaNo, pool: &PoolId, place: &Place) {
        let Place::Leased(lease) = place else { return };
        self.deadlines.remove(&(lease.until, no));
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

    /// Moves an agenda to a place that the scheduler knows already.
    pub(super) fn relocate(&mut self, no: AgendaNo, place: Place, reason: Option<String>) {
        let Some(mut live) = self.agendas.remove(&no) else { return };
        self.unindex(no, &live.pool, &live.place);
        live.place = place;
        live.reason = reason;
        self.index(no, &live);
        self.agendas.insert(no, live);
        self.touch(no);
    }

    pub(super) fn set_deadline(&mut self, no: AgendaNo, until: Timestamp) {
        let Some(Live { place: Place::Leased(lease), .. }) = self.agendas.get_mut(&no) else { return };
        self.deadlines.remove(&(lease.until, no));
        lease.until = until;
        self.deadlines.insert((until, no));
    }

    /// Makes the end of the command write the agenda's row.
    pub(super) fn touch(&mut self, no: AgendaNo) {
        if let Some(live) = self.agendas.get_mut(&no)
            && !live.dirty
        {
            live.dirty = true;
            self.touched.push(no);
        }
    }

    /// The leased agendas of an agent, by the call that pulled.
    pub(super) fn leases_of(
        &self,
        pool: &PoolId,
        worker: &str,
    ) -> Option<&BTreeMap<String, BTreeSet<AgendaNo>>> {
        self.holders.get(&(pool.clone(), worker.to_owned()))
    }

    /// Agendas with an overdue lease, the newest first.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<AgendaNo> {
        let mut overdue: Vec<AgendaNo> =
            self.deadlines.iter().take_while(|(until, _)| *until <= now).map(|(_, no)| *no).collect();
        overdue.sort_unstable_by(|a, b| b.cmp(a));
        overdue
    }

    pub(super) fn shift_deadlines(&mut self, by: SignedDuration) {
        let limit = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        for (until, no) in std::mem::take(&mut self.deadlines) {
            let until = until.checked_add(by).unwrap_or(limit);
            if let Some(Live { place: Place::Leased(lease), .. }) = self.agendas.get_mut(&no) {
                lease.until = until;
                self.deadlines.insert((until, no));
            }
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    pub(super) fn add_pool(&mut self, config: Pool) {
        let id = PoolId::from(config.id.as_str());
        match self.pools.get_mut(&id) {
            Some(pool) => pool.config = config,
            None => {
                self.pools.insert(id, PoolState { config, members: 0, insights: BTreeSet::new() });
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

    /// Writes the rows of the touched agendas, and forgets old keys and agents.
    pub(super) fn flush(&mut self, tx: &mut Tx) {
        for no in std::mem::take(&mut self.touched) {
            if let Some(live) = self.agendas.get_mut(&no) {
                live.dirty = false;
                tx.writes.push(Write::Agenda(live.row(no)));
            }
        }
        self.flush_policies(tx);
        let holders = &self.holders;
        self.agents.forget(tx.now, |agent| holders.contains_key(agent));
        while let Some((ended_at, ..)) = self.old_keys.front()
            && tx.now.duration_since(*ended_at).unsigned_abs() > REMEMBERED_KEY
        {
            if let Some((_, customer, key)) = self.old_keys.pop_front() {
                self.keys.remove(&(customer, key));
            }
        }
    }
}

fn sorted(mut operations: Vec<Operation>) -> Vec<Operation> {
    operations.sort_by(|a, b| a.name.cmp(&b.name));
    operations
}

impl Tx {
    /// Records one more agenda of this insight for a pull.
    pub(super) fn work(&mut self, pool: &PoolId, insight: &InsightId) {
        self.effects.push(Effect::WorkAvailable(pool.clone(), insight.clone()));
    }
}
