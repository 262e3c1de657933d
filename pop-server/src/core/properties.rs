//! Random sequences of commands: nothing is lost, epochs only grow, stale reports are refused, and what is stored gives
//! the same state again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use pop_sdk::api::{
    AgendaEnd, AgendaState, Algorithm, Event, LeaseId, OperationState, OperationView, Report, ReportResult,
};
use proptest::prelude::*;

use super::Core;
use super::command::{Command, Granted, Pull, Reply};
use super::fixture::{World, agenda, insight, pool};
use super::state::Place;
use crate::ids::AgendaId;
use crate::store::Store as _;

#[derive(Clone, Debug)]
enum Action {
    Submit { customer: usize, operations: usize, held: bool },
    Pull { worker: usize, count: usize },
    Repeat,
    Renew { lease: usize },
    Report { lease: usize, operation: usize, state: usize, attempt: u32, percent: u8 },
    End { lease: usize, state: usize },
    Cancel { agenda: usize },
    Attach { worker: usize },
    Configure { queue_size: u32, fifo: bool },
    Wait { seconds: u64 },
    Crash,
}

const CUSTOMERS: [&str; 3] = ["a", "b", "c"];
const WORKERS: [&str; 2] = ["v", "w"];
const OPERATIONS: [&str; 3] = ["x", "y", "z"];
const STATES: [OperationState; 8] = [
    OperationState::Waiting,
    OperationState::Ready,
    OperationState::Launching,
    OperationState::Executing,
    OperationState::Executing,
    OperationState::Succeeded,
    OperationState::Failed,
    OperationState::Skipped,
];
const ENDS: [AgendaState; 3] = [AgendaState::Succeeded, AgendaState::Failed, AgendaState::Cancelled];

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (0..3_usize, 1..4_usize, prop::bool::weighted(0.1))
            .prop_map(|(customer, operations, held)| Action::Submit { customer, operations, held }),
        4 => (0..2_usize, 1..4_usize).prop_map(|(worker, count)| Action::Pull { worker, count }),
        1 => Just(Action::Repeat),
        2 => (0..8_usize).prop_map(|lease| Action::Renew { lease }),
        8 => (0..8_usize, 0..3_usize, 0..8_usize, 0..3_u32, 0..=100_u8).prop_map(
            |(lease, operation, state, attempt, percent)| Action::Report { lease, operation, state, attempt, percent }
        ),
        3 => (0..8_usize, 0..3_usize).prop_map(|(lease, state)| Action::End { lease, state }),
        1 => (0..10_usize).prop_map(|agenda| Action::Cancel { agenda }),
        1 => (0..2_usize).prop_map(|worker| Action::Attach { worker }),
        1 => (0..4_u32, any::<bool>()).prop_map(|(queue_size, fifo)| Action::Configure { queue_size, fifo }),
        2 => (0..40_u64).prop_map(|seconds| Action::Wait { seconds }),
        1 => Just(Action::Crash),
    ]
}

/// What was handed out, by whom it is held, newest last.
struct Model {
    world: World,
    ids: Vec<AgendaId>,
    granted: Vec<(usize, Granted)>,
    epochs: BTreeMap<AgendaId, u64>,
    last_pull: Option<(Pull, Vec<Granted>)>,
    instances: [u32; 2],
    pulls: u32,
}

/// The state without what is only a memory of the past, as text.
fn essence(core: &Core) -> String {
    let state = &core.state;
    let agendas: BTreeMap<_, _> = state.agendas.iter().collect();
    let ids: BTreeMap<_, _> = state.ids.iter().collect();
    let mut text = format!("{agendas:#?}{ids:?}{:?}{:?}", state.last_no, core.next_deadline());
    for (id, insight) in &state.insights {
        let _ = write!(text, "{id} {:?} {:?} {}", insight.scheduler, insight.queue, insight.live);
    }
    for (id, customer) in &state.customers {
        let _ = write!(text, "{id} {}", customer.live);
    }
    text
}

impl Model {
    fn new(algorithm: Algorithm) -> Self {
        Self {
            world: World::new(algorithm, 2, &CUSTOMERS),
            ids: Vec::new(),
            granted: Vec::new(),
            epochs: BTreeMap::new(),
            last_pull: None,
            instances: [0; 2],
            pulls: 0,
        }
    }

    fn lease(&self, index: usize) -> Option<(usize, Granted)> {
        self.granted.iter().rev().nth(index).cloned()
    }

    /// Whether that lease is the agenda's current one.
    fn is_current(&self, worker: usize, granted: &Granted) -> bool {
        let state = &self.world.core.state;
        let live = state.ids.get(&granted.id).and_then(|no| state.agendas.get(no));
        live.is_some_and(|live| {
            matches!(&live.place, Place::Leased(lease) if lease.row.worker == WORKERS[worker])
                && live.epoch == granted.epoch
        })
    }

    fn pull(&mut self, pull: Pull, worker: usize) {
        let held_before: BTreeSet<AgendaId> = self.held();
        let reply = self.world.ok(Command::Pull(pull.clone()));
        let Reply::Granted(granted) = reply else { panic!("{reply:?}") };
        for grant in &granted {
            assert!(!held_before.contains(&grant.id), "{} was handed out twice at the same time", grant.id);
            let last = self.epochs.insert(grant.id.clone(), grant.epoch).unwrap_or(0);
            assert!(grant.epoch > last, "epoch {} after {last}", grant.epoch);
            self.granted.push((worker, grant.clone()));
        }
        self.last_pull = Some((pull, granted));
    }

    fn held(&self) -> BTreeSet<AgendaId> {
        let live = self.world.core.state.agendas.values();
        live.filter(|l| matches!(l.place, Place::Leased(_))).map(|l| l.id.clone()).collect()
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Submit { customer, operations, held } => {
                let mut agenda = agenda(&OPERATIONS[..operations]);
                if held {
                    agenda.params.insert("doNotRun".into(), true.into());
                }
                self.ids.push(self.world.submit_agenda(CUSTOMERS[customer], &agenda));
            }
            Action::Pull { worker, count } => {
                self.pulls += 1;
                let pull = Pull {
                    pool: pool(),
                    worker: WORKERS[worker].into(),
                    instance: self.instances[worker].to_string(),
                    insight: None,
                    count,
                    request: self.pulls.to_string(),
                };
                self.pull(pull, worker);
            }
            Action::Repeat => {
                let Some((pull, granted)) = self.last_pull.clone() else { return };
                let worker = WORKERS.iter().position(|w| *w == pull.worker).unwrap();
                let alive: Vec<Granted> =
                    granted.into_iter().filter(|g| self.is_current(worker, g)).collect();
                if alive.is_empty() {
                    return;
                }
                let reply = self.world.ok(Command::Pull(pull));
                let Reply::Granted(again) = reply else { panic!("{reply:?}") };
                let key = |g: &Granted| (g.id.clone(), g.epoch);
                assert_eq!(again.iter().map(key).collect::<BTreeSet<_>>(), alive.iter().map(key).collect());
            }
            Action::Renew { lease } => {
                let Some((worker, granted)) = self.lease(lease) else { return };
                let current = self.is_current(worker, &granted);
                let leases = vec![LeaseId { id: granted.id.to_string(), epoch: granted.epoch }];
                let reply =
                    self.world.ok(Command::Renew { pool: pool(), worker: WORKERS[worker].into(), leases });
                assert!(matches!(reply, Reply::Renewed { lost, .. } if lost.is_empty() == current));
            }
            Action::Report { lease, operation, state, attempt, percent } => {
                let Some((worker, granted)) = self.lease(lease) else { return };
                let view = OperationView {
                    name: OPERATIONS[operation].into(),
                    state: STATES[state],
                    attempt,
                    percent: f64::from(percent),
                    ..OperationView::default()
                };
                let report = Report {
                    id: granted.id.to_string(),
                    epoch: granted.epoch,
                    operations: vec![view],
                    ..Report::default()
                };
                self.report(worker, &granted, report);
            }
            Action::End { lease, state } => {
                let Some((worker, granted)) = self.lease(lease) else { return };
                let end = Some(AgendaEnd { state: ENDS[state], outputs: None, failure: None });
                let report =
                    Report { id: granted.id.to_string(), epoch: granted.epoch, end, ..Report::default() };
                self.report(worker, &granted, report);
            }
            Action::Cancel { agenda } => {
                if let Some(id) = self.ids.get(agenda).cloned() {
                    self.world.ok(Command::Cancel { agenda: id });
                }
            }
            Action::Attach { worker } => {
                self.instances[worker] += 1;
                let instance = self.instances[worker].to_string();
                self.world.ok(Command::Attach { pool: pool(), worker: WORKERS[worker].into(), instance });
            }
            Action::Configure { queue_size, fifo } => {
                let algorithm = if fifo { Algorithm::Fifo } else { Algorithm::RoundRobin };
                self.world.ok(Command::PutInsight(insight(algorithm, queue_size)));
            }
            Action::Wait { seconds } => {
                self.world.advance(seconds);
                self.world.ok(Command::Tick);
            }
            Action::Crash => self.world.core = self.world.reloaded(),
        }
    }

    fn report(&mut self, worker: usize, granted: &Granted, report: Report) {
        let current = self.is_current(worker, granted);
        let ended = self.world.store.agenda(&granted.id).unwrap().unwrap().row.state.is_terminal();
        let command =
            Command::Report { pool: pool(), worker: WORKERS[worker].into(), reports: vec![report.clone()] };
        let Ok(Reply::Reported(results)) = self.world.apply(command.clone()) else {
            assert!(current, "only a current lease is checked further");
            assert!(self.world.writes.is_empty(), "a refused report changes nothing");
            return;
        };
        match results[0] {
            ReportResult::Accepted => assert!(current || ended),
            ReportResult::Stale => {
                assert!(!current);
                assert!(self.world.writes.is_empty(), "a stale report changes nothing");
            }
        }
        let before = essence(&self.world.core);
        self.world.apply(command).unwrap();
        assert_eq!(essence(&self.world.core), before, "a repeated report changes nothing");
    }

    fn check(&self) {
        let state = &self.world.core.state;
        for id in &self.ids {
            let record = self.world.store.agenda(id).unwrap().unwrap();
            let live = state.ids.get(id).and_then(|no| state.agendas.get(no));
            match live {
                Some(live) => assert_eq!(live.row(record.header.no), record.row),
                None => assert!(record.row.state.is_terminal(), "{id} is lost"),
            }
        }
        let leased = state.agendas.values().filter(|l| matches!(l.place, Place::Leased(_))).count();
        assert_eq!(state.overdue(jiff::Timestamp::MAX).len(), leased, "each lease has one deadline");
        let waiting: usize = state.insights.values().map(|i| i.scheduler.len() + i.queue.len()).sum();
        let elsewhere =
            state.agendas.values().filter(|l| matches!(l.place, Place::Held | Place::Leased(_))).count();
        assert_eq!(waiting + elsewhere, state.agendas.len());
        assert_eq!(
            essence(&self.world.reloaded()),
            essence(&self.world.core),
            "what is stored is not the state"
        );
    }

    fn check_histories(&self) {
        for id in &self.ids {
            let record = self.world.store.agenda(id).unwrap().unwrap();
            let events = self.world.store.events(record.header.no, 0, usize::MAX).unwrap();
            let events: Vec<Event> =
                events.iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect();
            let seqs: Vec<u64> = events.iter().map(|e| e.seq).collect();
            assert_eq!(seqs, (1..=record.row.seq).collect::<Vec<_>>());
            assert!(events.iter().map(|e| e.percent).is_sorted(), "the percent went down");
            let operations = self.world.store.operations(record.header.no).unwrap();
            let done = operations.iter().flat_map(|(_, row)| row);
            let done = done.filter(|row| row.state == OperationState::Succeeded).count();
            assert_eq!(record.row.succeeded as usize, done);
            let ends = events.iter().filter(|e| e.state.is_terminal()).count();
            assert_eq!(ends, usize::from(record.row.state.is_terminal()));
            assert!(ends == 0 || events.last().unwrap().state.is_terminal());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_commands_keeps_the_promises(
        fifo in any::<bool>(),
        actions in prop::collection::vec(action(), 1..60),
    ) {
        let mut model = Model::new(if fifo { Algorithm::Fifo } else { Algorithm::RoundRobin });
        for action in actions {
            model.act(action);
            model.check();
        }
        model.check_histories();
    }
}
