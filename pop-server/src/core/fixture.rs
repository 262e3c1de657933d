//! A core with a store, for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pop_compiler::agenda::{Agenda, Operation};

use super::command::{
    Command, Effect, Facts, Granted, LeaseId, Outcome, Pull, Refusal, Reply, Report, ReportResult, Submit,
};
use super::record::{Customer, Insight, OperationState, OperationUpdate, Percent, Pool, Write};
use super::{Core, Settings};
use crate::ids::{AgendaId, CustomerId, PoolId};
use crate::store::conformance::Claimed;
use crate::store::sqlite::SqliteStore;

pub(crate) struct World {
    pub(crate) core: Core,
    pub(crate) store: Claimed,
    pub(crate) now: Timestamp,
    pub(crate) writes: Vec<Write>,
    pub(crate) effects: Vec<Effect>,
    submitted: u64,
    requests: u64,
}

impl World {
    /// A pool with these customers and an insight that takes every agenda.
    pub(crate) fn new(algorithm: &str, queue_size: u32, customers: &[&str]) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let store = Claimed::new(Box::new(SqliteStore::in_memory().unwrap()));
        let core = Core::load(Settings::default(), store.load().unwrap(), now);
        let mut world =
            Self { core, store, now, writes: Vec::new(), effects: Vec::new(), submitted: 0, requests: 0 };
        world.ok(Command::PutPool(Pool { id: "pool".into(), title: None }));
        world.ok(Command::PutInsight(insight(algorithm, queue_size)));
        for customer in customers {
            world.ok(Command::PutCustomer(Customer {
                id: (*customer).into(),
                title: None,
                pool: "pool".into(),
            }));
        }
        world
    }

    /// Applies and commits a command.
    pub(crate) fn apply(&mut self, command: Command) -> Result<Reply, Refusal> {
        let Outcome { reply, writes, effects } = self.core.apply(self.now, command);
        self.store.commit(&writes).unwrap();
        self.writes = writes;
        self.effects = effects;
        reply
    }

    pub(crate) fn ok(&mut self, command: Command) -> Reply {
        self.apply(command).unwrap()
    }

    pub(crate) fn advance(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The state of a new process.
    pub(crate) fn reloaded(&self) -> Core {
        Core::load(self.core.settings, self.store.load().unwrap(), self.now)
    }

    pub(crate) fn submit(&mut self, customer: &str) -> AgendaId {
        self.submit_agenda(customer, &agenda(&["a"]))
    }

    pub(crate) fn submit_agenda(&mut self, customer: &str, agenda: &Agenda) -> AgendaId {
        self.submitted += 1;
        let id = AgendaId::from(format!("ag_{:04}", self.submitted));
        self.ok(Command::Submit(Box::new(submit(&id, customer, agenda, None))));
        id
    }

    pub(crate) fn pull(&mut self, worker: &str, count: usize) -> Vec<Granted> {
        self.requests += 1;
        let request = format!("r{}", self.requests);
        self.pull_as(worker, "1", count, &request)
    }

    pub(crate) fn pull_as(
        &mut self,
        worker: &str,
        instance: &str,
        count: usize,
        request: &str,
    ) -> Vec<Granted> {
        let reply = self.ok(Command::Pull(Pull {
            pool: pool(),
            worker: worker.into(),
            instance: instance.into(),
            insight: None,
            count,
            request: request.into(),
            woken: false,
        }));
        let Reply::Granted(granted) = reply else { panic!("{reply:?}") };
        granted
    }

    pub(crate) fn report(&mut self, worker: &str, report: Report) -> ReportResult {
        self.report_as(worker, "1", report)
    }

    pub(crate) fn report_as(&mut self, worker: &str, instance: &str, report: Report) -> ReportResult {
        let reply = self.ok(reports(worker, instance, vec![report]));
        let Reply::Reported(results) = reply else { panic!("{reply:?}") };
        results[0]
    }

    /// The owners of the queued agendas, in order.
    pub(crate) fn queued(&self) -> Vec<String> {
        let state = &self.core.state;
        let insight = state.insights.keys().next().unwrap();
        state.scheduler.queued(insight).map(|no| state.agendas[&no].customer.to_string()).collect()
    }

    pub(crate) fn state_of(&self, id: &AgendaId) -> crate::core::record::AgendaState {
        self.store.agenda(id).unwrap().unwrap().row.state
    }
}

pub(crate) fn pool() -> PoolId {
    PoolId::from("pool")
}

pub(crate) fn insight(algorithm: &str, queue_size: u32) -> Insight {
    Insight {
        id: "all".into(),
        pool: "pool".into(),
        mappers: BTreeMap::from([("any".into(), Vec::new())]),
        queue_size,
        algorithm: algorithm.to_owned(),
        ..Insight::default()
    }
}

pub(crate) fn agenda(names: &[&str]) -> Agenda {
    let operations = names
        .iter()
        .map(|name| Operation { name: (*name).into(), kind: "t".into(), ..Operation::default() })
        .collect();
    Agenda { operations, ..Agenda::default() }
}

pub(crate) fn submit(id: &AgendaId, customer: &str, agenda: &Agenda, key: Option<&str>) -> Submit {
    Submit {
        id: id.clone(),
        customer: CustomerId::from(customer),
        facts: Facts::of(agenda),
        body: Arc::from(serde_json::to_string(agenda).unwrap()),
        idempotency_key: key.map(str::to_owned),
        made_for: None,
    }
}

pub(crate) fn operation(name: &str, state: OperationState, attempt: u32, percent: f64) -> OperationUpdate {
    OperationUpdate {
        name: name.into(),
        kind: "t".into(),
        state,
        attempt,
        percent: Percent::new(percent),
        ..OperationUpdate::default()
    }
}

pub(crate) fn reports(worker: &str, instance: &str, reports: Vec<Report>) -> Command {
    Command::Report { pool: pool(), worker: worker.into(), instance: instance.into(), reports }
}

pub(crate) fn lease(granted: &Granted) -> LeaseId {
    LeaseId { id: granted.id.clone(), epoch: granted.epoch }
}

pub(crate) fn renew(worker: &str, instance: &str, leases: Vec<LeaseId>) -> Command {
    Command::Renew { pool: pool(), worker: worker.into(), instance: instance.into(), leases }
}

pub(crate) fn release(worker: &str, instance: &str, leases: Vec<LeaseId>) -> Command {
    Command::Release {
        pool: pool(),
        worker: worker.into(),
        instance: instance.into(),
        leases,
        leaving: false,
    }
}

pub(crate) fn attach(worker: &str, instance: &str, holding: Vec<LeaseId>) -> Command {
    Command::Attach { pool: pool(), worker: worker.into(), instance: instance.into(), holding }
}

pub(crate) fn report(granted: &Granted, operations: Vec<OperationUpdate>) -> Report {
    Report { operations, ..Report::new(lease(granted)) }
}
