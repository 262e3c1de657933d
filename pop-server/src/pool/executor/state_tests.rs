//! The executor by value, and in a simulation where answers are lost, stale, refused and late.

use std::collections::{BTreeMap, BTreeSet};

use pop_compiler::agenda::Operation;
use pop_sdk::api::OperationState;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn at(millis: u64) -> Moment {
    Moment { date: Timestamp::UNIX_EPOCH, steady: Duration::from_millis(millis) }
}

fn lease(agenda: &str, epoch: u64, operations: usize) -> Box<Lease> {
    let operation = |n: usize| Operation {
        name: format!("o{n}"),
        kind: "t".into(),
        payload: if n.is_multiple_of(3) { json!({}) } else { json!(format!("@<o{}.out>", n - 1)) },
        params: json!({"pop.retry": {"attempts": 2, "backoff": "1s..1s"}}).as_object().cloned().unwrap(),
        ..Operation::default()
    };
    let agenda_of = Agenda { operations: (0..operations).map(operation).collect(), ..Agenda::default() };
    Box::new(Lease {
        id: agenda.into(),
        epoch,
        lease_ms: 1000,
        interrupted: 0,
        agenda: agenda_of,
        progress: Vec::new(),
    })
}

fn executor(attempts: usize) -> Executor {
    let resources = Resources { cpu_millis: 1000, memory: 1000 };
    Executor::new(Settings {
        types: HashMap::new(),
        time_scale: 1.0,
        capacity: Capacity { resources, attempts },
    })
}

fn user_failure() -> Failure {
    fail(FailureClass::User, "ExitCode", "the program exited with code 3")
}

fn id(agenda: &str, epoch: u64) -> LeaseId {
    LeaseId { id: agenda.into(), epoch }
}

/// The executor with a simulated pool around it.
struct World {
    executor: Executor,
    now: u64,
    adopting: VecDeque<Box<Lease>>,
    /// Running attempts by key: their agenda and operation.
    live: BTreeMap<AttemptKey, (String, String)>,
    asked: BTreeSet<AttemptKey>,
    sent: Option<Vec<Report>>,
    /// Granted leases that have not finished.
    open: BTreeSet<LeaseId>,
    finished: Vec<Finished>,
    attempts: usize,
}

impl World {
    fn new(attempts: usize) -> Self {
        Self {
            executor: executor(attempts),
            now: 0,
            adopting: VecDeque::new(),
            live: BTreeMap::new(),
            asked: BTreeSet::new(),
            sent: None,
            open: BTreeSet::new(),
            finished: Vec::new(),
            attempts,
        }
    }

    fn input(&mut self, input: Input) {
        let outputs = self.executor.on(at(self.now), input);
        for output in outputs {
            match output {
                Output::Adopt(lease) => self.adopting.push_back(lease),
                Output::Launch(launch, _) => {
                    let what = (launch.agenda.clone(), launch.operation.clone());
                    assert!(!self.live.values().any(|other| *other == what), "{what:?} runs twice at a time");
                    assert!(self.live.insert(launch.key, what).is_none());
                    assert!(self.live.len() <= self.attempts, "more than there is room for");
                }
                Output::Terminate(key) | Output::Kill(key) => {
                    self.asked.insert(key);
                }
                Output::Settled(_) | Output::Forget(_) => {}
                Output::Send(reports) => {
                    assert!(self.sent.replace(reports).is_none(), "two batches at a time");
                }
                Output::Finished(finished) => {
                    assert!(self.open.remove(&finished.lease), "{finished:?} a second time");
                    self.finished.push(finished);
                }
            }
        }
    }

    fn lease(&mut self, agenda: &str, epoch: u64, operations: usize) {
        self.open.insert(id(agenda, epoch));
        self.input(Input::Command(Command::Run(lease(agenda, epoch, operations))));
    }

    fn adopted(&mut self) {
        if let Some(lease) = self.adopting.pop_front() {
            self.input(Input::Run(lease, Vec::new()));
        }
    }

    fn exit(&mut self, pick: usize, outcome: Result<Value, Failure>) {
        let Some(key) = self.live.keys().nth(pick % self.live.len().max(1)).copied() else { return };
        self.live.remove(&key);
        self.asked.remove(&key);
        self.input(Input::Signal(key, Signal::Started));
        self.input(Input::Signal(key, Signal::Exited(outcome)));
    }

    fn flush(&mut self) {
        self.input(Input::Flush);
    }

    fn answer(&mut self, mut answer: impl FnMut(&Report) -> Answer) {
        if let Some(reports) = self.sent.take() {
            let answers = reports.iter().map(&mut answer).collect();
            self.input(Input::Answered(answers));
        }
    }

    /// Lets everything succeed until the executor is idle.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.adopted();
            self.exit(0, Ok(json!({})));
            self.flush();
            self.answer(|_| Answer::Accepted);
            self.now += 500;
            self.input(Input::Tick);
            if self.executor.is_idle() {
                return;
            }
        }
        panic!("it never ends: {:?}", self.executor);
    }

    fn act(&mut self, (kind, pick): (u8, usize)) {
        let nth = self.open.iter().nth(pick % self.open.len().max(1)).cloned();
        match (kind, nth) {
            (0, _) => {
                // A newer lease of an agenda whose earlier lease may still run here.
                let agenda = ["a", "b", "c"][pick % 3];
                let epoch = self.finished.len() + self.open.len() + 1;
                self.lease(agenda, epoch as u64, 1 + pick % 7);
            }
            (1, _) => self.adopted(),
            (2..=4, _) => self.exit(pick, if kind == 2 { Err(user_failure()) } else { Ok(json!({})) }),
            (5, _) => self.flush(),
            (6, _) => self.answer(|_| Answer::Accepted),
            (7, _) => self.answer(|report| match (report.operations.len() + pick) % 4 {
                0 => Answer::Stale,
                1 => Answer::Refused("no".into()),
                2 => Answer::AcceptedBut(report.operations.iter().map(|o| o.name.clone()).collect()),
                _ => Answer::Accepted,
            }),
            (8, Some(lease)) => {
                let command = match pick % 4 {
                    0 => Command::Lost(lease),
                    1 => Command::Cancel(lease),
                    2 => Command::Yield(lease),
                    _ => Command::Kill(lease),
                };
                self.input(Input::Command(command));
            }
            _ => {
                self.now += 700;
                self.input(Input::Tick);
            }
        }
    }
}

#[test]
fn a_later_lease_of_an_agenda_waits_until_nothing_of_the_earlier_one_runs() {
    let mut world = World::new(8);
    world.lease("a", 1, 1);
    world.adopted();
    world.lease("a", 2, 1);
    world.adopted();
    assert_eq!(world.asked.len(), 1, "the earlier one is lost by that");
    assert_eq!(world.live.len(), 1);
    world.exit(0, Err(user_failure()));
    assert_eq!(world.finished, [Finished { lease: id("a", 1), how: Finish::Ended }]);
    assert_eq!(world.live.len(), 1, "now it starts");
    world.settle();
    assert_eq!(world.finished[1], Finished { lease: id("a", 2), how: Finish::Ended });
}

#[test]
fn a_word_about_an_earlier_lease_leaves_the_later_one() {
    let mut world = World::new(8);
    world.lease("a", 2, 1);
    world.adopted();
    world.input(Input::Command(Command::Lost(id("a", 1))));
    world.input(Input::Command(Command::Cancel(id("a", 1))));
    assert_eq!((world.live.len(), world.asked.len()), (1, 0));
}

#[test]
fn what_has_ended_is_reported_before_a_lease_is_given_back() {
    let mut world = World::new(8);
    world.lease("a", 1, 4); // o0 and o3 start
    world.adopted();
    world.exit(0, Ok(json!({"v": 1})));
    world.input(Input::Command(Command::Yield(id("a", 1))));
    assert_eq!(world.asked.len(), 1);
    world.exit(0, Err(user_failure()));
    assert!(world.finished.is_empty(), "nothing of it is durable yet");
    world.flush();
    let states: Vec<_> = world.sent.iter().flatten().flat_map(|r| &r.operations).map(|o| o.state).collect();
    assert_eq!(states, [OperationState::Succeeded, OperationState::Ready]);
    world.answer(|_| Answer::Accepted);
    assert_eq!(world.finished, [Finished { lease: id("a", 1), how: Finish::Yielded }]);
}

#[test]
fn a_refused_report_ends_its_agenda_and_no_other() {
    let mut world = World::new(8);
    world.lease("a", 1, 4);
    world.lease("b", 1, 1);
    (0..2).for_each(|_| world.adopted());
    world.exit(0, Ok(json!({})));
    world.flush();
    world.answer(|_| Answer::Refused("malformed".into()));
    assert_eq!(world.asked.len(), 1, "what else of it runs is stopped");
    world.flush();
    let end = world.sent.as_ref().unwrap()[0].end.clone().unwrap();
    let failure = end.failure.unwrap();
    assert_eq!((end.state, failure.code.as_str()), (AgendaState::Failed, "ReportRefused"));
    assert!(failure.message.contains("malformed"), "{}", failure.message);
    world.settle();
    assert_eq!(world.finished.len(), 2);
}

#[test]
fn an_agenda_that_panics_ends_with_its_evidence_and_no_other_does() {
    let mut world = World::new(8);
    world.lease("a", 1, 4);
    world.lease("b", 1, 1);
    (0..2).for_each(|_| world.adopted());
    world.executor.planted = Some("a".into());
    world.exit(0, Ok(json!({})));
    let asked: Vec<bool> = world.live.keys().map(|key| world.asked.contains(key)).collect();
    assert_eq!(asked, [true, false], "what else of it runs is stopped");
    world.flush();
    let end = world.sent.as_ref().unwrap()[0].end.clone().unwrap();
    let failure = end.failure.unwrap();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Platform, "RunPanicked"));
    assert!(failure.message.contains("(an attempt has started): as a test asked for"), "{}", failure.message);
    world.settle();
    assert_eq!(world.finished.len(), 2);
}

#[test]
fn an_agenda_that_can_not_be_run_ends_as_failed_with_the_reason() {
    let mut world = World::new(8);
    let mut bad = lease("a", 1, 2);
    bad.agenda.operations[1].name = "o0".into();
    world.open.insert(id("a", 1));
    world.input(Input::Command(Command::Run(bad)));
    world.adopted();
    world.flush();
    let end = world.sent.as_ref().unwrap()[0].end.clone().unwrap();
    assert_eq!(end.failure.unwrap().code, "AgendaInvalid");
    world.answer(|_| Answer::Accepted);
    assert_eq!(world.finished.len(), 1);
}

#[test]
fn ten_thousand_that_wait_are_cancelled_at_once() {
    let mut world = World::new(2);
    let mut many = lease("a", 1, 0);
    let operation = |n: usize| Operation { name: format!("o{n}"), kind: "t".into(), ..Operation::default() };
    many.agenda.operations = (0..10_000).map(operation).collect();
    world.open.insert(id("a", 1));
    world.input(Input::Command(Command::Run(many)));
    world.adopted();
    assert_eq!(world.live.len(), 2);
    world.flush();
    let reports = world.sent.clone().unwrap();
    let reason = reports[0].operations[0].message.clone().unwrap();
    assert_eq!(reports[0].operations[0].state, OperationState::Ready);
    assert_eq!(reason, "waits for capacity: all 2 programs of this pool run");
    world.answer(|_| Answer::Accepted);
    world.input(Input::Command(Command::Cancel(id("a", 1))));
    assert_eq!((world.live.len(), world.asked.len()), (2, 2));
    world.settle();
}

proptest! {
    #[test]
    fn whatever_happens_every_lease_ends_once_and_nothing_runs_twice(
        actions in proptest::collection::vec((0u8..10, 0usize..1000), 0..200),
    ) {
        let mut world = World::new(3);
        for action in actions {
            world.act(action);
        }
        world.settle();
        prop_assert!(world.open.is_empty(), "never finished: {:?}", world.open);
        prop_assert!(world.live.is_empty());
    }
}
