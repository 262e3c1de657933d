//! Random sequences of commands. No agenda is lost, epochs only grow, the core refuses stale reports, and the stored
//! state equals the state in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use pop_compiler::agenda::{Operation, Params, keys};
use proptest::prelude::*;

use super::Core;
use super::command::{
    AgendaEnd, Command, Generated, Granted, LeaseId, Pull, Refusal, Reply, Report, ReportResult,
};
use super::fixture::{
    World, agenda, attach, insight, lease as lease_id, pool, release, renew, report, reports,
};
use super::live::Place;
use super::record::{AgendaState, LiveRow, OperationState, OperationUpdate, Percent};
use super::rerun::{Rerun, RerunPlan, closure};
use crate::ids::{AgendaId, AgendaNo};

#[derive(Clone, Debug)]
enum Action {
    Submit { customer: usize, operations: usize, held: bool, attempts: u32 },
    Pull { worker: usize, count: usize },
    Repeat,
    Renew { lease: usize },
    Release { lease: usize },
    Woken,
    Report { lease: usize, operation: usize, state: usize, attempt: u32, percent: u8, made: usize },
    End { lease: usize, state: usize },
    Cancel { agenda: usize },
    Rerun { agenda: usize, what: usize, stale: bool },
    Attach { worker: usize, holding: usize },
    Old { worker: usize, lease: usize, what: usize },
    Configure { queue_size: u32, fifo: bool },
    Wait { seconds: u64 },
    Crash,
}

const CUSTOMERS: [&str; 3] = ["a", "b", "c"];
/// The reason of a rerun agenda.
const AGAIN: &str = "run again";
const WORKERS: [&str; 2] = ["v", "w"];
/// The first three may be submitted; the others are generated.
const OPERATIONS: [&str; 7] = ["x", "y", "z", "x.0", "x.1", "y.0", "x.0.0"];
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
        4 => (0..3_usize, 1..4_usize, prop::bool::weighted(0.1), 1..5_u32).prop_map(
            |(customer, operations, held, attempts)| Action::Submit { customer, operations, held, attempts }
        ),
        4 => (0..2_usize, 1..4_usize).prop_map(|(worker, count)| Action::Pull { worker, count }),
        1 => Just(Action::Repeat),
        2 => (0..8_usize).prop_map(|lease| Action::Renew { lease }),
        2 => (0..8_usize).prop_map(|lease| Action::Release { lease }),
        1 => Just(Action::Woken),
        8 => (0..8_usize, 0..7_usize, 0..8_usize, 0..3_u32, 0..=100_u8, 0..4_usize).prop_map(
            |(lease, operation, state, attempt, percent, made)|
    Action::Report { lease, operation, state, attempt, percent, made }
        ),
        3 => (0..8_usize, 0..3_usize).prop_map(|(lease, state)| Action::End { lease, state }),
        1 => (0..10_usize).prop_map(|agenda| Action::Cancel { agenda }),
        3 => (0..10_usize, 0..5_usize, prop::bool::weighted(0.1))
            .prop_map(|(agenda, what, stale)| Action::Rerun { agenda, what, stale }),
        1 => (0..2_usize, 0..4_usize).prop_map(|(worker, holding)| Action::Attach { worker, holding }),
        1 => (0..2_usize, 0..8_usize, 0..4_usize)
            .prop_map(|(worker, lease, what)| Action::Old { worker, lease, what }),
        1 => (0..4_u32, any::<bool>()).prop_map(|(queue_size, fifo)| Action::Configure { queue_size, fifo }),
        2 => (0..40_u64).prop_map(|seconds| Action::Wait { seconds }),
        1 => Just(Action::Crash),
    ]
}

/// The expected state: submitted ids, and grants with the index of their worker, the newest last.
struct Model {
    world: World,
    ids: Vec<AgendaId>,
    granted: Vec<(usize, Granted)>,
    epochs: BTreeMap<AgendaId, u64>,
    /// The allowed and the actual number of grants of each agenda without the end of an operation.
    attempts: BTreeMap<AgendaId, (u32, u32)>,
    /// Number of reruns of each agenda; `seen` holds the agenda as it was read for the last one.
    reruns: BTreeMap<AgendaId, usize>,
    seen: BTreeMap<AgendaId, LiveRow>,
    last_pull: Option<(Pull, Vec<Granted>)>,
    instances: [u32; 2],
    /// Whether the server knows the current instance of a worker: the server has seen an attach.
    attached: [bool; 2],
    /// Whether the agent let a lease run out since its last call, so that its waiting call gets nothing.
    silent: [bool; 2],
    pulls: u32,
}

/// The lasting part of the state, as text.
fn essence(core: &Core) -> String {
    let state = &core.state;
    // The ends of leases are not stored.
    let mut agendas: BTreeMap<_, _> = state.agendas.iter().map(|(no, live)| (*no, live.clone())).collect();
    for live in agendas.values_mut() {
        if let Place::Leased(lease) = &mut live.place {
            (lease.since, lease.until) = (jiff::Timestamp::MIN, jiff::Timestamp::MIN);
        }
    }
    let ids: BTreeMap<_, _> = state.ids.iter().collect();
    let mut text = format!("{agendas:#?}{ids:?}{:?}", state.last_no);
    for (id, insight) in &state.insights {
        let _ = write!(text, "{id} {:?} {}", state.scheduler.insight(id), insight.live);
    }
    for (id, customer) in &state.customers {
        let _ = write!(text, "{id} {}", customer.live);
    }
    text
}

impl Model {
    fn new(algorithm: &str) -> Self {
        Self {
            world: World::new(algorithm, 2, &CUSTOMERS),
            ids: Vec::new(),
            granted: Vec::new(),
            epochs: BTreeMap::new(),
            attempts: BTreeMap::new(),
            reruns: BTreeMap::new(),
            seen: BTreeMap::new(),
            last_pull: None,
            instances: [0; 2],
            attached: [false; 2],
            silent: [false; 2],
            pulls: 0,
        }
    }

    fn lease(&self, index: usize) -> Option<(usize, Granted)> {
        self.granted.iter().rev().nth(index).cloned()
    }

    /// Whether a lease is the agenda's current one.
    fn is_current(&self, worker: usize, granted: &Granted) -> bool {
        let state = &self.world.core.state;
        let live = state.ids.get(&granted.id).and_then(|no| state.agendas.get(no));
        live.is_some_and(|live| {
            matches!(&live.place, Place::Leased(lease) if lease.row.worker == WORKERS[worker]
                && lease.row.instance == self.instances[worker].to_string())
                && live.epoch == granted.epoch
        })
    }

    fn pull(&mut self, pull: Pull, worker: usize) {
        self.silent[worker] = false;
        let held_before: BTreeSet<AgendaId> = self.held();
        let reply = self.world.ok(Command::Pull(pull.clone()));
        let Reply::Granted(granted) = reply else { panic!("{reply:?}") };
        for grant in &granted {
            assert!(!held_before.contains(&grant.id), "{} was handed out twice at the same time", grant.id);
            let last = self.epochs.insert(grant.id.clone(), grant.epoch).unwrap_or(0);
            assert!(grant.epoch > last, "epoch {} after {last}", grant.epoch);
            if let Some((allowed, tried)) = self.attempts.get_mut(&grant.id) {
                *tried += 1;
                assert!(tried <= allowed, "{} was tried {tried} times, not {allowed}", grant.id);
            }
            self.granted.push((worker, grant.clone()));
        }
        self.last_pull = Some((pull, granted));
    }

    /// The leased agendas, with the index of their worker.
    fn held_by(&self) -> Vec<(AgendaNo, usize)> {
        let live = self.world.core.state.agendas.iter();
        let worker = |name: &str| WORKERS.iter().position(|w| *w == name).unwrap();
        live.filter_map(|(no, live)| match &live.place {
            Place::Leased(lease) => Some((*no, worker(&lease.row.worker))),
            _ => None,
        })
        .collect()
    }

    fn lost(&self, id: &AgendaId) -> u32 {
        self.world.store.agenda(id).unwrap().unwrap().row.lost
    }

    /// Attaches a new instance, which claims some leases of the earlier one.
    fn attach(&mut self, worker: usize, holding: usize) {
        let own = self.granted.iter().rev().filter(|(w, _)| *w == worker);
        let claimed: Vec<Granted> = own.take(holding).map(|(_, g)| g.clone()).collect();
        let current: BTreeSet<AgendaId> =
            claimed.iter().filter(|g| self.is_current(worker, g)).map(|g| g.id.clone()).collect();
        let before = self.held_by().into_iter().filter(|(_, w)| *w == worker).count();
        self.instances[worker] += 1;
        self.attached[worker] = true;
        self.silent[worker] = false;
        let instance = self.instances[worker].to_string();
        let reply = self.world.ok(attach(WORKERS[worker], &instance, claimed.iter().map(lease_id).collect()));
        let Reply::Attached { returned, kept } = reply else { panic!("{reply:?}") };
        assert_eq!(kept.iter().map(|l| AgendaId::from(l.id.as_str())).collect::<BTreeSet<_>>(), current);
        assert_eq!(returned.len() + kept.len(), before);
    }

    /// Calls as an instance that another instance has replaced.
    fn old(&mut self, worker: usize, lease: usize, what: usize) {
        let Some(old) = self.instances[worker].checked_sub(1).filter(|_| self.attached[worker]) else {
            return;
        };
        let instance = old.to_string();
        let granted = self.lease(lease).map(|(_, granted)| granted);
        let leases: Vec<LeaseId> = granted.iter().map(lease_id).collect();
        let command = match (what, granted) {
            (0, _) => renew(WORKERS[worker], &instance, leases),
            (1, _) => release(WORKERS[worker], &instance, leases),
            (2, Some(granted)) => reports(WORKERS[worker], &instance, vec![report(&granted, Vec::new())]),
            _ => Command::Pull(Pull {
                pool: pool(),
                worker: WORKERS[worker].into(),
                instance,
                insight: None,
                count: 1,
                request: "old".into(),
                woken: false,
            }),
        };
        match self.world.apply(command) {
            Ok(Reply::Reported(results)) => assert_eq!(results, [ReportResult::Stale]),
            refused => assert!(matches!(refused, Err(Refusal::Superseded(_))), "{refused:?}"),
        }
        assert!(self.world.writes.is_empty());
    }

    fn held(&self) -> BTreeSet<AgendaId> {
        let live = self.world.core.state.agendas.values();
        live.filter(|l| matches!(l.place, Place::Leased(_))).map(|l| l.id.clone()).collect()
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Submit { customer, operations, held, attempts } => {
                let mut agenda = agenda(&OPERATIONS[..operations]);
                if held {
                    agenda.params.insert("doNotRun".into(), true.into());
                }
                agenda.params.insert(keys::MAXIMUM_ATTEMPTS.into(), attempts.into());
                let id = self.world.submit_agenda(CUSTOMERS[customer], &agenda);
                self.attempts.insert(id.clone(), (attempts, 0));
                self.ids.push(id);
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
                    woken: false,
                };
                self.pull(pull, worker);
            }
            Action::Repeat => {
                let Some((pull, granted)) = self.last_pull.clone() else { return };
                let worker = WORKERS.iter().position(|w| *w == pull.worker).unwrap();
                let alive: Vec<Granted> =
                    granted.into_iter().filter(|g| self.is_current(worker, g)).collect();
                if alive.is_empty() || pull.instance != self.instances[worker].to_string() {
                    return;
                }
                let reply = self.world.ok(Command::Pull(Pull { woken: false, ..pull }));
                self.silent[worker] = false;
                let Reply::Granted(again) = reply else { panic!("{reply:?}") };
                let key = |g: &Granted| (g.id.clone(), g.epoch);
                assert_eq!(again.iter().map(key).collect::<BTreeSet<_>>(), alive.iter().map(key).collect());
            }
            Action::Renew { lease } => {
                let Some((worker, granted)) = self.lease(lease) else { return };
                let current = self.is_current(worker, &granted);
                let instance = self.instances[worker].to_string();
                let reply = self.world.ok(renew(WORKERS[worker], &instance, vec![lease_id(&granted)]));
                self.silent[worker] = false;
                assert!(matches!(reply, Reply::Renewed { lost, .. } if lost.is_empty() == current));
            }
            Action::Release { lease } => {
                let Some((worker, granted)) = self.lease(lease) else { return };
                let current = self.is_current(worker, &granted);
                let before = self.lost(&granted.id);
                let instance = self.instances[worker].to_string();
                let id = lease_id(&granted);
                let reply = self.world.ok(release(WORKERS[worker], &instance, vec![id.clone()]));
                self.silent[worker] = false;
                assert_eq!(reply, Reply::Released(if current { vec![id] } else { Vec::new() }));
                assert!(current || self.world.writes.is_empty());
                assert!(self.lost(&granted.id) <= before, "what is given back is not lost");
                if current && let Some((_, tried)) = self.attempts.get_mut(&granted.id) {
                    *tried = tried.saturating_sub(1);
                }
            }
            Action::Woken => {
                let Some((pull, _)) = self.last_pull.clone() else { return };
                let worker = WORKERS.iter().position(|w| *w == pull.worker).unwrap();
                if pull.instance != self.instances[worker].to_string() {
                    return;
                }
                self.pulls += 1;
                // Another waiting poll of the same agent.
                let pull = Pull { woken: true, request: self.pulls.to_string(), ..pull };
                if self.silent[worker] {
                    assert_eq!(self.world.ok(Command::Pull(pull)), Reply::Silent);
                    assert!(self.world.writes.is_empty());
                } else {
                    self.pull(pull, worker);
                }
            }
            Action::Old { worker, lease, what } => self.old(worker, lease, what),
            Action::Report { lease, operation, state, attempt, percent, made } => {
                let Some((worker, granted)) = self.lease(lease) else { return };
                let view = OperationUpdate {
                    name: OPERATIONS[operation].into(),
                    state: STATES[state],
                    attempt,
                    percent: Percent::new(f64::from(percent)),
                    ..OperationUpdate::default()
                };
                let names = (0..made).map(|n| format!("{}.{n}", view.name));
                let generator = view.name.clone();
                let params = Params::from_iter([(keys::GENERATED_BY.to_owned(), generator.as_str().into())]);
                let new = |name| Operation { name, params: params.clone(), ..Operation::default() };
                let operations = names.map(new).collect();
                let made = if made > 0 { vec![Generated { generator, operations }] } else { Vec::new() };
                let report = Report { made, ..report(&granted, vec![view]) };
                self.report(worker, &granted, report);
            }
            Action::End { lease, state } => {
                let Some((worker, granted)) = self.lease(lease) else { return };
                let end = Some(AgendaEnd { state: ENDS[state], outputs: None, failure: None });
                let report = Report { end, ..report(&granted, Vec::new()) };
                self.report(worker, &granted, report);
            }
            Action::Cancel { agenda } => {
                if let Some(id) = self.ids.get(agenda).cloned() {
                    self.world.ok(Command::Cancel { agenda: id });
                }
            }
            Action::Rerun { agenda, what, stale } => self.rerun(agenda, what, stale),
            Action::Attach { worker, holding } => self.attach(worker, holding),
            Action::Configure { queue_size, fifo } => {
                let algorithm = if fifo { "fifo" } else { "roundRobin" };
                self.world.ok(Command::PutInsight(insight(algorithm, queue_size)));
            }
            Action::Wait { seconds } => {
                self.world.advance(seconds);
                let (before, now) = (self.held_by(), self.world.now);
                let overdue = self.world.core.state.overdue(now);
                for (no, worker) in before {
                    self.silent[worker] |= overdue.contains(&no);
                }
                self.world.ok(Command::Tick);
            }
            Action::Crash => {
                self.world.core = self.world.reloaded();
                // The read agendas are lost with the server that read them.
                self.seen.clear();
                self.silent = [false; 2];
                self.attached = [false; 2];
                for (_, worker) in self.held_by() {
                    self.attached[worker] = true;
                }
            }
        }
    }

    /// Reruns an agenda as it is stored now, or (`stale`) as it was at the last read.
    fn rerun(&mut self, agenda: usize, what: usize, stale: bool) {
        let Some(id) = self.ids.get(agenda).cloned() else { return };
        let what = match what {
            0 => Rerun::All,
            1 => Rerun::Operations(vec!["x".into()]),
            2 => Rerun::Operations(vec!["x.0".into()]),
            _ => Rerun::Continue,
        };
        let stored = match self.seen.get(&id).filter(|_| stale) {
            Some(seen) => seen.clone(),
            None => self.world.store.live(&id).unwrap().unwrap(),
        };
        let mut all = self::agenda(&[]);
        for text in self.world.store.generated(stored.header.no).unwrap() {
            all.operations.push(serde_json::from_str(&text).unwrap());
        }
        let submitted = stored.operations.len().saturating_sub(all.operations.len());
        let names: Vec<&str> = stored.operations.iter().take(submitted).map(|o| o.name.as_str()).collect();
        all.operations.splice(0..0, self::agenda(&names).operations);
        let mut states = vec![OperationState::Waiting; stored.operations.len()];
        stored.changed.iter().for_each(|row| states[row.position as usize] = row.state);
        let Ok(closure) = closure(&all, stored.row.state, &states, &what) else { return };
        self.seen.insert(id.clone(), stored.clone());
        let current = self.world.store.agenda(&id).unwrap().unwrap().row;
        let may = current.state.is_terminal() && current.seq == stored.row.seq;
        let again = RerunPlan { stored, closure: closure.clone(), reason: AGAIN.into() };
        match self.world.apply(Command::Rerun(Box::new(again))) {
            Ok(Reply::Rerunning { after, reset }) => {
                assert!(may, "{id} runs, or what was read is out of date");
                assert_eq!((after, reset.len()), (current.seq, closure.reset.len()));
                self.got_on(&id);
                *self.reruns.entry(id).or_default() += 1;
            }
            Err(Refusal::NotEnded(_)) => {
                assert!(!may);
                assert!(self.world.writes.is_empty(), "a refused rerun changes nothing");
            }
            other => panic!("{other:?}"),
        }
    }

    fn got_on(&mut self, id: &AgendaId) {
        if let Some((_, tried)) = self.attempts.get_mut(id) {
            *tried = 0;
        }
    }

    fn ended_operations(&self, id: &AgendaId) -> usize {
        let state = &self.world.core.state;
        let live = state.ids.get(id).and_then(|no| state.agendas.get(no));
        live.map_or(0, |live| live.operations.iter().filter(|o| o.state.is_terminal()).count())
    }

    fn report(&mut self, worker: usize, granted: &Granted, report: Report) {
        let current = self.is_current(worker, granted);
        let ended = self.world.store.agenda(&granted.id).unwrap().unwrap().row.state.is_terminal();
        let done = self.ended_operations(&granted.id);
        let instance = self.instances[worker].to_string();
        let command = reports(WORKERS[worker], &instance, vec![report.clone()]);
        self.silent[worker] = false;
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
        if self.ended_operations(&granted.id) > done {
            self.got_on(&granted.id);
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
        let waiting: usize = state.insights.keys().map(|id| state.scheduler.waiting(id)).sum();
        let elsewhere =
            state.agendas.values().filter(|l| matches!(l.place, Place::OnHold | Place::Leased(_))).count();
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
            let seqs: Vec<u64> = events.iter().map(|e| e.seq).collect();
            assert_eq!(seqs, (1..=record.row.seq).collect::<Vec<_>>());
            let fell = events.windows(2).any(|two| {
                let new = two[1].added.is_some() || two[1].reason.as_deref() == Some(AGAIN);
                two[1].percent < two[0].percent && !new
            });
            assert!(!fell, "the percent went down, and nothing was added or run again");
            let operations = self.world.store.operations(record.header.no).unwrap();
            let names: BTreeSet<&str> = operations.iter().map(|(o, _)| o.name.as_str()).collect();
            assert_eq!(names.len(), operations.len(), "an operation was added twice");
            assert_eq!(record.row.total as usize, operations.len());
            let added = events.iter().flat_map(|e| &e.added).flat_map(|a| &a.operations);
            let added: Vec<String> = added.map(|o| o.name.clone()).collect();
            let made = self.world.store.generated(record.header.no).unwrap();
            let made = made.iter().map(|text| serde_json::from_str::<Operation>(text).unwrap().name);
            let reruns = self.reruns.get(id).copied().unwrap_or(0);
            let made = made.collect::<Vec<_>>();
            if reruns == 0 {
                assert_eq!(added, made, "what was added is not what was told");
            } else {
                assert!(made.iter().all(|name| added.contains(name)), "what was added was not told");
            }
            let done = operations.iter().flat_map(|(_, row)| row);
            let done = done.filter(|row| row.state == OperationState::Succeeded).count();
            assert_eq!(record.row.succeeded as usize, done);
            let ends = events.iter().filter(|e| e.state.is_terminal()).count();
            let ended = record.row.state.is_terminal();
            assert_eq!(ends, reruns + usize::from(ended));
            assert!(!ended || events.last().unwrap().state.is_terminal());
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
        let mut model = Model::new(if fifo { "fifo" } else { "roundRobin" });
        for action in actions {
            model.act(action);
            model.check();
        }
        model.check_histories();
    }
}
