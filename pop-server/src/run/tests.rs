//! The state machine by value, and under a seeded world that finishes, fails, loses and restarts things at random.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pop_compiler::agenda::{Agenda, Operation, keys};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn operation(name: &str, payload: Value, params: Value) -> Operation {
    let params = params.as_object().cloned().unwrap_or_default();
    Operation { name: name.into(), kind: "t".into(), payload, params, ..Operation::default() }
}

fn plan(operations: Vec<Operation>, params: Value) -> Arc<Plan> {
    let params = params.as_object().cloned().unwrap_or_default();
    Arc::new(Plan::new(&Agenda { operations, params, ..Agenda::default() }).expect("a valid agenda"))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Drives a run by hand: what was launched, what was reported, how it ended.
struct Hand {
    run: Run,
    launched: Vec<(String, u32, Value)>,
    reported: Vec<(String, OperationState)>,
    timers: Vec<(usize, u32, TimerKind, Timestamp)>,
    killed: Vec<usize>,
    end: Option<AgendaEnd>,
}

impl Hand {
    fn start(plan: &Arc<Plan>, prior: &[OperationView]) -> Self {
        let (run, effects) = Run::start(Arc::clone(plan), "ag_1", prior, at(0));
        let mut hand =
            Self { run, launched: vec![], reported: vec![], timers: vec![], killed: vec![], end: None };
        hand.take(effects);
        hand
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Launch { op, attempt, payload } => {
                    let name = self.run.plan().steps[op].name.clone();
                    self.launched.push((name, attempt, payload));
                }
                Effect::Report { view, .. } => self.reported.push((view.name.clone(), view.state)),
                Effect::Timer { op, attempt, kind, at } => self.timers.push((op, attempt, kind, at)),
                Effect::Kill { op, .. } => self.killed.push(op),
                Effect::End(end) => self.end = Some(end),
            }
        }
    }

    fn event(&mut self, event: Event) {
        let effects = self.run.step(at(1), event);
        self.take(effects);
    }

    fn op(&self, name: &str) -> (usize, u32) {
        let op = self.run.plan().steps.iter().position(|s| s.name == name).unwrap();
        (op, self.run.operation(op).unwrap().attempt)
    }

    fn exit(&mut self, name: &str, outcome: Result<Value, Failure>) {
        let (op, attempt) = self.op(name);
        self.event(Event::Started { op, attempt });
        self.event(Event::Exited { op, attempt, outcome });
    }

    fn commit(&mut self, name: &str) {
        let (op, attempt) = self.op(name);
        self.event(Event::Committed { op, attempt });
    }

    fn succeed(&mut self, name: &str, output: Value) {
        self.exit(name, Ok(output));
        self.commit(name);
    }

    fn state(&self, name: &str) -> OperationState {
        self.run.operation(self.op(name).0).unwrap().state
    }

    fn launches(&self) -> Vec<&str> {
        self.launched.iter().map(|(name, ..)| name.as_str()).collect()
    }

    fn end_state(&self) -> Option<AgendaState> {
        self.end.as_ref().map(|e| e.state)
    }
}

fn user_failure() -> Failure {
    fail(FailureClass::User, "ExitCode", "the program exited with code 3")
}

#[test]
fn a_dependent_starts_only_after_the_output_is_committed() {
    let plan = plan(
        vec![operation("a", json!({}), json!({})), operation("b", json!({"x": "@<a.out::/v>"}), json!({}))],
        json!({"pop.result": {"r": "@<b.out::/w>"}}),
    );
    let mut hand = Hand::start(&plan, &[]);
    hand.exit("a", Ok(json!({"v": true})));
    assert_eq!(hand.launches(), ["a"], "finished is not committed");
    hand.commit("a");
    assert_eq!(hand.launched[1], ("b".into(), 1, json!({"x": true})));
    hand.succeed("b", json!({"w": [1]}));
    assert_eq!(hand.end.unwrap().outputs, Some(json!({"r": [1]})));
}

#[test]
fn a_failure_skips_what_depends_on_it_and_nothing_else() {
    let plan = plan(
        vec![
            operation("bad", json!({}), json!({})),
            operation("child", json!("@<bad.out>"), json!({})),
            operation("grandchild", json!({}), json!({"dependsOn": "child"})),
            operation("free", json!({}), json!({})),
            operation("after", json!({}), json!({"dependsOn": "free"})),
        ],
        json!({}),
    );
    let mut hand = Hand::start(&plan, &[]);
    hand.exit("bad", Err(user_failure()));
    hand.commit("bad");
    assert_eq!(hand.state("child"), OperationState::Skipped);
    assert_eq!(hand.state("grandchild"), OperationState::Skipped);
    hand.succeed("free", json!({}));
    hand.succeed("after", json!({}));
    let end = hand.end.unwrap();
    assert_eq!((end.state, end.failure.unwrap().operation.as_deref()), (AgendaState::Failed, Some("bad")));
}

#[test]
fn on_failure_stop_starts_nothing_new_and_lets_the_rest_finish() {
    let operations = vec![
        operation("bad", json!({}), json!({})),
        operation("free", json!({}), json!({})),
        operation("later", json!({}), json!({"dependsOn": "free"})),
    ];
    let plan = plan(operations, json!({"pop.onFailure": "stop"}));
    let mut hand = Hand::start(&plan, &[]);
    hand.exit("bad", Err(user_failure()));
    hand.commit("bad");
    assert_eq!(hand.state("later"), OperationState::Skipped);
    assert_eq!(hand.end, None, "`free` still runs");
    hand.succeed("free", json!({}));
    assert_eq!(hand.end_state(), Some(AgendaState::Failed));
}

#[test]
fn a_false_condition_skips_what_can_not_do_without() {
    let plan = plan(
        vec![
            operation("a", json!({}), json!({})),
            operation("maybe", json!({}), json!({"pop.when": "@<a.out::/go>"})),
            operation("needs", json!("@<maybe.out::/v>"), json!({})),
            operation("copes", json!("@<maybe.out::/v?=0>"), json!({})),
            operation("ordered", json!({}), json!({"dependsOn": "maybe"})),
        ],
        json!({"pop.result": {"v": "@<maybe.out::/v>", "c": "@<copes.out>"}}),
    );
    let mut hand = Hand::start(&plan, &[]);
    hand.succeed("a", json!({"go": false}));
    assert_eq!(hand.state("maybe"), OperationState::Skipped);
    assert_eq!(hand.state("needs"), OperationState::Skipped);
    assert_eq!(hand.launches(), ["a", "copes", "ordered"]);
    assert_eq!(hand.launched[1].2, json!(0));
    hand.succeed("copes", json!(1));
    hand.succeed("ordered", json!({}));
    let end = hand.end.unwrap();
    assert_eq!((end.state, end.outputs), (AgendaState::Succeeded, Some(json!({"v": null, "c": 1}))));
}

#[test]
fn a_condition_that_is_no_boolean_fails_the_operation() {
    let operations = vec![
        operation("a", json!({}), json!({})),
        operation("b", json!({}), json!({"pop.when": "@<a.out>"})),
    ];
    let mut hand = Hand::start(&plan(operations, json!({})), &[]);
    hand.succeed("a", json!("yes"));
    hand.commit("b");
    let failure = hand.end.unwrap().failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.operation.as_deref()), ("ConditionInvalid", Some("b")));
}

#[test]
fn an_output_without_the_field_fails_only_the_one_that_reads_it() {
    let plan = plan(
        vec![
            operation("a", json!({}), json!({})),
            operation("b", json!("@<a.out::/zz>"), json!({})),
            operation("c", json!("@<a.out::/v>"), json!({})),
        ],
        json!({}),
    );
    let mut hand = Hand::start(&plan, &[]);
    hand.succeed("a", json!({"v": 1}));
    hand.commit("b");
    assert_eq!(hand.state("b"), OperationState::Failed);
    hand.succeed("c", json!({}));
    let failure = hand.end.unwrap().failure.unwrap();
    assert_eq!(failure.code, "ReferenceInvalid");
    assert!(failure.message.contains("@<a.out::/zz>"), "{}", failure.message);
}

#[test]
fn retries_follow_the_policy_and_wait_in_between() {
    let retry = json!({"pop.retry": {"attempts": 3, "backoff": "10s..1m"}});
    let plan = plan(vec![operation("a", json!({}), retry)], json!({}));
    let mut hand = Hand::start(&plan, &[]);
    for attempt in 1..=2 {
        hand.exit("a", Err(user_failure()));
        assert_eq!(hand.state("a"), OperationState::Ready);
        let (op, a, kind, when) = hand.timers.pop().unwrap();
        assert_eq!((a, kind), (attempt, TimerKind::Retry));
        let delay = when.duration_since(at(1)).as_secs();
        let base = 10 * i64::from(attempt);
        assert!((base..=base + base / 4).contains(&delay), "{delay}");
        hand.event(Event::Timer { op, attempt: a, kind });
        assert_eq!(hand.launched.last().unwrap().1, attempt + 1);
    }
    hand.exit("a", Err(user_failure()));
    hand.commit("a");
    assert_eq!(hand.end_state(), Some(AgendaState::Failed));
}

#[test]
fn an_infrastructure_failure_does_not_use_the_users_attempts() {
    let plan = plan(vec![operation("a", json!({}), json!({}))], json!({}));
    let mut hand = Hand::start(&plan, &[]);
    hand.exit("a", Err(fail(FailureClass::Infra, "SpawnFailed", "no more processes")));
    assert_eq!((hand.state("a"), hand.timers.len()), (OperationState::Ready, 1));
}

#[test]
fn a_timeout_kills_and_is_named() {
    let plan = plan(vec![operation("a", json!({}), json!({"pop.timeout": "5s"}))], json!({}));
    let mut hand = Hand::start(&plan, &[]);
    let (op, attempt) = hand.op("a");
    hand.event(Event::Started { op, attempt });
    assert_eq!(hand.timers, [(op, attempt, TimerKind::Timeout, at(6))]);
    hand.event(Event::Timer { op, attempt, kind: TimerKind::Timeout });
    assert_eq!(hand.killed, [op]);
    hand.event(Event::Exited { op, attempt, outcome: Err(user_failure()) });
    hand.commit("a");
    assert_eq!(hand.end.unwrap().failure.unwrap().class, FailureClass::UserTimeout);
}

#[test]
fn cancel_kills_what_runs_and_drops_the_rest() {
    let operations = vec![operation("a", json!({}), json!({})), operation("b", json!("@<a.out>"), json!({}))];
    let mut hand = Hand::start(&plan(operations, json!({})), &[]);
    hand.event(Event::Cancel);
    assert_eq!((hand.killed.as_slice(), hand.state("b")), (&[0][..], OperationState::Cancelled));
    hand.exit("a", Err(user_failure()));
    assert_eq!(hand.end_state(), Some(AgendaState::Cancelled));
}

#[test]
fn a_lost_lease_kills_and_reports_nothing_more() {
    let mut hand = Hand::start(&plan(vec![operation("a", json!({}), json!({}))], json!({})), &[]);
    hand.event(Event::LeaseLost);
    assert_eq!(hand.killed, [0]);
    let reports = hand.reported.len();
    hand.exit("a", Ok(json!({})));
    hand.commit("a");
    assert_eq!((hand.reported.len(), hand.end), (reports, None));
}

#[test]
fn events_of_an_old_attempt_are_ignored() {
    let retry = json!({"pop.retry": {"attempts": 2}});
    let mut hand = Hand::start(&plan(vec![operation("a", json!({}), retry)], json!({})), &[]);
    hand.exit("a", Err(user_failure()));
    let (op, attempt, kind, _) = hand.timers.pop().unwrap();
    hand.event(Event::Timer { op, attempt, kind });
    let reports = hand.reported.len();
    hand.event(Event::Exited { op, attempt: 1, outcome: Ok(json!({})) });
    hand.event(Event::Committed { op, attempt: 1 });
    hand.event(Event::Timer { op, attempt: 1, kind: TimerKind::Retry });
    assert_eq!((hand.reported.len(), hand.launched.len()), (reports, 2));
}

#[test]
fn a_later_lease_goes_on_where_the_earlier_one_was() {
    let plan = plan(
        vec![
            operation("a", json!({}), json!({})),
            operation("b", json!("@<a.out::/v>"), json!({})),
            operation("c", json!("@<b.out>"), json!({})),
        ],
        json!({}),
    );
    let prior = [
        OperationView {
            name: "a".into(),
            state: OperationState::Succeeded,
            attempt: 1,
            output: Some(json!({"v": 5})),
            ..OperationView::default()
        },
        OperationView {
            name: "b".into(),
            state: OperationState::Executing,
            attempt: 2,
            ..OperationView::default()
        },
    ];
    let hand = Hand::start(&plan, &prior);
    assert_eq!(hand.launched, [("b".into(), 3, json!(5))], "`a` does not run again, `b` gets a new number");
}

#[test]
fn an_agenda_that_is_done_already_ends_at_once() {
    let plan = plan(vec![operation("a", json!({}), json!({}))], json!({}));
    let done =
        OperationView { name: "a".into(), state: OperationState::Succeeded, ..OperationView::default() };
    assert_eq!(Hand::start(&plan, &[done]).end_state(), Some(AgendaState::Succeeded));
}

#[test]
fn a_chain_of_100_000_skips_does_not_recurse() {
    let n = 100_000;
    let mut operations = vec![operation("0", json!({}), json!({}))];
    operations
        .extend((1..n).map(|i| operation(&i.to_string(), json!(format!("@<{}.out>", i - 1)), json!({}))));
    let mut hand = Hand::start(&plan(operations, json!({})), &[]);
    hand.exit("0", Err(user_failure()));
    hand.commit("0");
    assert_eq!(hand.end_state(), Some(AgendaState::Failed));
    assert_eq!(hand.reported.len(), n + 1);
}

/// A world in which anything may happen: it holds what is durable, and what the run believes.
#[derive(Debug)]
struct World {
    plan: Arc<Plan>,
    run: Run,
    durable: BTreeMap<usize, OperationView>,
    /// Committed ends, to see that there is only one for each operation and attempt.
    ends: BTreeSet<(usize, u32)>,
    live: BTreeSet<(usize, u32)>,
    uncommitted: VecDeque<(usize, OperationView)>,
    timers: Vec<(usize, u32, TimerKind)>,
    end: Option<AgendaEnd>,
}

impl World {
    fn new(plan: Arc<Plan>) -> Self {
        let (run, effects) = Run::start(Arc::clone(&plan), "ag_1", &[], at(0));
        let mut world = Self {
            plan,
            run,
            durable: BTreeMap::new(),
            ends: BTreeSet::new(),
            live: BTreeSet::new(),
            uncommitted: VecDeque::new(),
            timers: vec![],
            end: None,
        };
        world.take(effects);
        world
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Launch { op, attempt, .. } => {
                    for step in self.upstream(op) {
                        // A skip follows from what is durable, and its report travels ahead of this launch's.
                        let durable = self.durable.get(&step).is_some_and(|v| v.state.is_terminal());
                        let skipped = self
                            .uncommitted
                            .iter()
                            .any(|(o, v)| *o == step && v.state == OperationState::Skipped);
                        assert!(durable || skipped, "I2: {op} started before {step}");
                    }
                    let earlier = self.durable.get(&op).map_or(0, |v| v.attempt);
                    assert!(attempt > earlier || earlier == 0, "attempts only go up");
                    assert!(!self.live.iter().any(|(o, _)| *o == op), "I3: two attempts of {op} at once");
                    self.live.insert((op, attempt));
                }
                Effect::Report { op, view } => self.uncommitted.push_back((op, view)),
                Effect::Timer { op, attempt, kind, .. } => self.timers.push((op, attempt, kind)),
                Effect::Kill { .. } => {}
                Effect::End(end) => self.end = Some(end),
            }
        }
    }

    fn upstream(&self, op: usize) -> Vec<usize> {
        let waits = |s: &Step| s.dependents.iter().any(|e| e.to == op);
        (0..self.plan.steps.len()).filter(|i| waits(&self.plan.steps[*i])).collect()
    }

    fn event(&mut self, event: Event) {
        let effects = self.run.step(at(1), event);
        self.take(effects);
    }

    /// The oldest report becomes durable.
    fn commit_one(&mut self) {
        let Some((op, view)) = self.uncommitted.pop_front() else { return };
        let (state, attempt) = (view.state, view.attempt);
        let old = self.durable.insert(op, view);
        assert!(!old.is_some_and(|v| v.state.is_terminal()), "a terminal operation changed");
        if matches!(state, OperationState::Succeeded | OperationState::Failed) {
            assert!(self.ends.insert((op, attempt)), "I1: two outcomes of one attempt");
            self.event(Event::Committed { op, attempt });
        }
    }

    /// Everything but what is durable is gone.
    fn crash(&mut self) {
        self.live.clear();
        self.uncommitted.clear();
        self.timers.clear();
        self.end = None;
        let prior: Vec<OperationView> = self.durable.values().cloned().collect();
        let (run, effects) = Run::start(Arc::clone(&self.plan), "ag_1", &prior, at(2));
        self.run = run;
        self.take(effects);
    }

    fn act(&mut self, (kind, pick): (u8, usize)) {
        let nth = |set: &BTreeSet<(usize, u32)>| set.iter().nth(pick % set.len().max(1)).copied();
        match kind {
            0..=3 => {
                if let Some((op, attempt)) = nth(&self.live) {
                    self.live.remove(&(op, attempt));
                    self.event(Event::Started { op, attempt });
                    let outcome = match kind {
                        0 => Err(user_failure()),
                        1 => Err(fail(FailureClass::Infra, "Lost", "lost")),
                        _ => Ok(json!({"v": true})),
                    };
                    self.event(Event::Exited { op, attempt, outcome });
                }
            }
            4..=6 => self.commit_one(),
            7 => {
                if !self.timers.is_empty() {
                    let (op, attempt, kind) = self.timers.remove(pick % self.timers.len());
                    self.event(Event::Timer { op, attempt, kind });
                }
            }
            8 => self.crash(),
            _ => {
                let (op, attempt) = (pick % self.plan.steps.len(), u32::try_from(pick % 3).unwrap());
                self.event(Event::Exited { op, attempt: attempt + 90, outcome: Ok(json!({})) });
                self.event(Event::Progress { op, attempt, percent: 50.0, message: None });
            }
        }
    }

    /// Faults stop: everything that runs succeeds, every report arrives, every timer fires.
    fn settle(&mut self) {
        for _ in 0..100_000 {
            if self.end.is_some() && self.uncommitted.is_empty() {
                return;
            }
            if !self.uncommitted.is_empty() {
                self.act((4, 0));
            } else if !self.live.is_empty() {
                self.act((2, 0));
            } else {
                assert!(!self.timers.is_empty(), "I4: nothing can happen, and it has not ended");
                self.act((7, 0));
            }
        }
        panic!("I4: it never ends");
    }
}

fn random_plan() -> impl Strategy<Value = Arc<Plan>> {
    let edges = proptest::collection::vec((0usize..100, 0u8..4), 0..4);
    (proptest::collection::vec((edges, 0u8..6, 1u32..4), 1..9), any::<bool>()).prop_map(|(ops, stop)| {
        let mut operations = Vec::new();
        for (i, (edges, when, attempts)) in ops.into_iter().enumerate() {
            let (mut payload, mut after) = (vec![], vec![]);
            for (from, kind) in edges.into_iter().filter(|_| i > 0) {
                let from = from % i;
                match kind {
                    0 => after.push(format!("o{from}")),
                    1 => payload.push(format!("@<o{from}.out::/v?=1>")),
                    _ => payload.push(format!("@<o{from}.out::/v>")),
                }
            }
            let mut params = json!({"pop.retry": {"attempts": attempts}, "dependsOn": after.join(",")});
            if when == 0 {
                params[keys::WHEN] = json!(false);
            }
            operations.push(operation(&format!("o{i}"), json!(payload), params));
        }
        plan(operations, json!({"pop.onFailure": if stop { "stop" } else { "continue" }}))
    })
}

proptest! {
    #[test]
    fn whatever_happens_every_operation_ends_once(
        plan in random_plan(),
        actions in proptest::collection::vec((0u8..10, 0usize..100), 0..120),
    ) {
        let mut world = World::new(plan);
        for action in actions {
            world.act(action);
        }
        world.settle();
        for op in 0..world.plan.steps.len() {
            let state = world.durable.get(&op).map(|v| v.state);
            prop_assert!(state.is_some_and(OperationState::is_terminal), "{op} is {state:?}");
            let failures = world.durable[&op].failures;
            prop_assert!(failures <= world.plan.steps[op].retry.attempts, "I6: {failures} failures of {op}");
        }
        // A skip because of a failure never becomes a run: everything that succeeded had what it needed.
        for (op, view) in &world.durable {
            if view.state == OperationState::Succeeded {
                for up in world.upstream(*op) {
                    prop_assert_ne!(world.durable[&up].state, OperationState::Failed);
                }
            }
        }
    }
}
