//! The state machine by value; what generators make, and a world in which anything may happen, are in the files below.

mod generated;
mod outputs;
mod same;
mod world;

use pop_compiler::agenda::{Agenda, Operation};
use serde_json::json;

use super::*;
use crate::api::Ledger;

fn operation(name: &str, payload: Value, params: Value) -> Operation {
    let params = params.as_object().cloned().unwrap_or_default();
    Operation { name: name.into(), kind: "t".into(), payload, params, ..Operation::default() }
}

fn agenda(operations: Vec<Operation>, params: Value) -> Agenda {
    let params = params.as_object().cloned().unwrap_or_default();
    Agenda { operations: operations.into(), params, ..Agenda::default() }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Drives a run by hand: what was launched, what was reported, how it ended.
struct Hand {
    run: Run,
    launched: Vec<(String, u32, Value)>,
    reported: Vec<(String, OperationState)>,
    /// The ledger of the last report.
    ledger: Option<Box<Ledger>>,
    timers: Vec<(usize, u32, TimerKind, Duration)>,
    killed: Vec<usize>,
    generated: Vec<Operation>,
    end: Option<AgendaEnd>,
}

impl Hand {
    fn start(agenda: &Agenda, prior: &[OperationView]) -> Self {
        Self::from(agenda, StartFrom { progress: prior, ..StartFrom::default() })
    }

    fn from(agenda: &Agenda, from: StartFrom<'_>) -> Self {
        let plan = Plan::new(agenda).expect("a valid agenda");
        let (run, effects) = Run::start(plan, &StartFrom { agenda: "ag_1", ..from }, at(0));
        let mut hand = Self {
            run,
            launched: vec![],
            reported: vec![],
            ledger: None,
            timers: vec![],
            killed: vec![],
            generated: vec![],
            end: None,
        };
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
                Effect::Report { view, .. } => {
                    self.reported.push((view.name.clone(), view.state));
                    self.ledger = view.ledger;
                }
                Effect::Timer { op, attempt, kind, after } => self.timers.push((op, attempt, kind, after)),
                Effect::Kill { op, .. } => self.killed.push(op),
                Effect::Generated { operations, .. } => self.generated.extend(operations),
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
    let agenda = agenda(
        vec![operation("a", json!({}), json!({})), operation("b", json!({"x": "@<a.out::/v>"}), json!({}))],
        json!({"pop.result": {"r": "@<b.out::/w>"}}),
    );
    let mut hand = Hand::start(&agenda, &[]);
    hand.exit("a", Ok(json!({"v": true})));
    assert_eq!(hand.launches(), ["a"], "finished is not committed");
    hand.commit("a");
    assert_eq!(hand.launched[1], ("b".into(), 1, json!({"x": true})));
    hand.succeed("b", json!({"w": [1]}));
    assert_eq!(hand.end.unwrap().outputs, Some(json!({"r": [1]})));
}

#[test]
fn a_failure_skips_what_depends_on_it_and_nothing_else() {
    let agenda = agenda(
        vec![
            operation("bad", json!({}), json!({})),
            operation("child", json!("@<bad.out>"), json!({})),
            operation("grandchild", json!({}), json!({"dependsOn": "child"})),
            operation("free", json!({}), json!({})),
            operation("after", json!({}), json!({"dependsOn": "free"})),
        ],
        json!({}),
    );
    let mut hand = Hand::start(&agenda, &[]);
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
    let agenda = agenda(operations, json!({"pop.onFailure": "stop"}));
    let mut hand = Hand::start(&agenda, &[]);
    hand.exit("bad", Err(user_failure()));
    hand.commit("bad");
    assert_eq!(hand.state("later"), OperationState::Skipped);
    assert_eq!(hand.end, None, "`free` still runs");
    hand.succeed("free", json!({}));
    assert_eq!(hand.end_state(), Some(AgendaState::Failed));
}

#[test]
fn a_false_condition_skips_what_can_not_do_without() {
    let agenda = agenda(
        vec![
            operation("a", json!({}), json!({})),
            operation("maybe", json!({}), json!({"pop.when": "@<a.out::/go>"})),
            operation("needs", json!("@<maybe.out::/v>"), json!({})),
            operation("copes", json!("@<maybe.out::/v?=0>"), json!({})),
            operation("ordered", json!({}), json!({"dependsOn": "maybe"})),
        ],
        json!({"pop.result": {"v": "@<maybe.out::/v>", "c": "@<copes.out>"}}),
    );
    let mut hand = Hand::start(&agenda, &[]);
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
    let mut hand = Hand::start(&agenda(operations, json!({})), &[]);
    hand.succeed("a", json!("yes"));
    hand.commit("b");
    let failure = hand.end.unwrap().failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.operation.as_deref()), ("ConditionInvalid", Some("b")));
}

#[test]
fn an_output_without_the_field_fails_only_the_one_that_reads_it() {
    let agenda = agenda(
        vec![
            operation("a", json!({}), json!({})),
            operation("b", json!("@<a.out::/zz>"), json!({})),
            operation("c", json!("@<a.out::/v>"), json!({})),
        ],
        json!({}),
    );
    let mut hand = Hand::start(&agenda, &[]);
    hand.succeed("a", json!({"v": 1}));
    hand.commit("b");
    assert_eq!(hand.state("b"), OperationState::Failed);
    hand.succeed("c", json!({}));
    let failure = hand.end.unwrap().failure.unwrap();
    assert_eq!(failure.code, "ReferenceInvalid");
    assert!(failure.message.contains("the output of `a` has no value at `/zz`"), "{}", failure.message);
}

#[test]
fn retries_follow_the_policy_and_wait_in_between() {
    let retry = json!({"pop.retry": {"attempts": 3, "backoff": "10s..1m"}});
    let agenda = agenda(vec![operation("a", json!({}), retry)], json!({}));
    let mut hand = Hand::start(&agenda, &[]);
    for attempt in 1..=2 {
        hand.exit("a", Err(user_failure()));
        assert_eq!(hand.state("a"), OperationState::Ready);
        let (op, a, kind, delay) = hand.timers.pop().unwrap();
        assert_eq!((a, kind), (attempt, TimerKind::Retry));
        let base = 10 * u64::from(attempt);
        assert!((base..=base + base / 4).contains(&delay.as_secs()), "{delay:?}");
        hand.event(Event::Timer { op, attempt: a, kind });
        assert_eq!(hand.launches().len(), attempt as usize, "the failure is not durable");
        hand.commit("a");
        assert_eq!(hand.launched.last().unwrap().1, attempt + 1);
    }
    hand.exit("a", Err(user_failure()));
    hand.commit("a");
    assert_eq!(hand.end_state(), Some(AgendaState::Failed));
}

#[test]
fn an_infrastructure_failure_does_not_use_the_users_attempts() {
    let agenda = agenda(vec![operation("a", json!({}), json!({}))], json!({}));
    let mut hand = Hand::start(&agenda, &[]);
    hand.exit("a", Err(fail(FailureClass::Infra, "SpawnFailed", "no more processes")));
    assert_eq!((hand.state("a"), hand.timers.len()), (OperationState::Ready, 1));
}

#[test]
fn giving_way_to_others_uses_no_attempts_at_all() {
    let agenda = agenda(vec![operation("a", json!({}), json!({}))], json!({}));
    let mut hand = Hand::start(&agenda, &[]);
    for _ in 0..20 {
        hand.exit("a", Err(fail(FailureClass::Capacity, "Preempted", "a higher priority")));
        assert_eq!(hand.state("a"), OperationState::Ready);
        hand.commit("a");
        let (op, attempt, kind, _) = hand.timers.pop().unwrap();
        hand.event(Event::Timer { op, attempt, kind });
    }
    hand.exit("a", Err(fail(FailureClass::Capacity, "PodPending", "no room for too long")));
    hand.commit("a");
    assert_eq!(
        hand.end_state(),
        Some(AgendaState::Failed),
        "a pod without a place for too long is another case"
    );
}

#[test]
fn the_moments_of_an_attempt_are_told_with_its_reports() {
    let agenda = agenda(vec![operation("a", json!({}), json!({}))], json!({}));
    let mut hand = Hand::start(&agenda, &[]);
    let (op, attempt) = hand.op("a");
    let ledger = Ledger { pod: Some("p".into()), ..Ledger::default() };
    hand.event(Event::Moments { op, attempt, ledger: Box::new(ledger) });
    hand.event(Event::Started { op, attempt });
    hand.exit("a", Ok(json!(1)));
    let told = hand.ledger.unwrap();
    assert_eq!(told.pod.as_deref(), Some("p"));
    assert!(told.spoke_at.is_some() && told.exited_at.is_some() && told.reported_at.is_some());
}

#[test]
fn a_timeout_kills_and_is_named() {
    let agenda = agenda(vec![operation("a", json!({}), json!({"pop.timeout": "5s"}))], json!({}));
    let mut hand = Hand::start(&agenda, &[]);
    let (op, attempt) = hand.op("a");
    hand.event(Event::Started { op, attempt });
    assert_eq!(hand.timers, [(op, attempt, TimerKind::Timeout, Duration::from_secs(5))]);
    hand.event(Event::Timer { op, attempt, kind: TimerKind::Timeout });
    assert_eq!(hand.killed, [op]);
    hand.event(Event::Exited { op, attempt, outcome: Err(user_failure()) });
    hand.commit("a");
    assert_eq!(hand.end.unwrap().failure.unwrap().class, FailureClass::UserTimeout);
}

#[test]
fn cancel_kills_what_runs_and_drops_the_rest() {
    let operations = vec![operation("a", json!({}), json!({})), operation("b", json!("@<a.out>"), json!({}))];
    let mut hand = Hand::start(&agenda(operations, json!({})), &[]);
    hand.event(Event::Cancel);
    assert_eq!((hand.killed.as_slice(), hand.state("b")), (&[0][..], OperationState::Cancelled));
    hand.exit("a", Err(user_failure()));
    assert_eq!(hand.end_state(), Some(AgendaState::Cancelled));
}

#[test]
fn a_lost_lease_kills_and_reports_nothing_more() {
    let mut hand = Hand::start(&agenda(vec![operation("a", json!({}), json!({}))], json!({})), &[]);
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
    let mut hand = Hand::start(&agenda(vec![operation("a", json!({}), retry)], json!({})), &[]);
    hand.exit("a", Err(user_failure()));
    let (op, attempt, kind, _) = hand.timers.pop().unwrap();
    hand.commit("a");
    hand.event(Event::Timer { op, attempt, kind });
    let reports = hand.reported.len();
    hand.event(Event::Exited { op, attempt: 1, outcome: Ok(json!({})) });
    hand.event(Event::Committed { op, attempt: 1 });
    hand.event(Event::Timer { op, attempt: 1, kind: TimerKind::Retry });
    assert_eq!((hand.reported.len(), hand.launched.len()), (reports, 2));
}

#[test]
fn a_later_lease_goes_on_where_the_earlier_one_was() {
    let agenda = agenda(
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
    let hand = Hand::start(&agenda, &prior);
    assert_eq!(hand.launched, [("b".into(), 3, json!(5))], "`a` does not run again, `b` gets a new number");
}

#[test]
fn no_number_is_given_again_after_a_lost_lease() {
    let agenda = agenda(
        ["fresh", "ran", "failed", "behind"]
            .map(|name| {
                let payload = if name == "behind" { json!("@<ran.out>") } else { json!({}) };
                operation(name, payload, json!({}))
            })
            .into(),
        json!({}),
    );
    let ready = |name: &str, failure: Option<Failure>| OperationView {
        name: name.into(),
        state: OperationState::Ready,
        attempt: 1,
        failure,
        ..OperationView::default()
    };
    let progress = [ready("ran", None), ready("failed", Some(user_failure()))];
    let mut hand =
        Hand::from(&agenda, StartFrom { progress: &progress, interrupted: 1, ..StartFrom::default() });
    let numbers = |hand: &Hand| hand.launched.iter().map(|(_, n, _)| *n).collect::<Vec<_>>();
    assert_eq!(numbers(&hand), [2, 2, 3], "`fresh` and the retry of `failed` may have started unheard");
    hand.succeed("ran", json!({}));
    assert_eq!(hand.launched[3].1, 1, "`behind` can't have been started");
    let hand = Hand::from(&agenda, StartFrom { progress: &progress, ..StartFrom::default() });
    assert_eq!(numbers(&hand), [1, 2, 2], "the lease was given back: everything is known");
}

#[test]
fn what_still_runs_is_launched_under_its_number() {
    let agenda = agenda(vec![operation("a", json!({}), json!({}))], json!({}));
    let running = [("a".to_owned(), 4), ("gone".to_owned(), 1)];
    let hand = Hand::from(&agenda, StartFrom { running: &running, interrupted: 1, ..StartFrom::default() });
    assert_eq!(hand.launched, [("a".into(), 4, json!({}))]);
}

#[test]
fn an_attempt_goes_on_under_the_next_lease_unless_its_end_is_durable() {
    let agenda = agenda(vec![operation("a", json!({}), json!({"pop.retry": 9}))], json!({}));
    let running = [("a".to_owned(), 2)];
    let launched = |view: OperationView| {
        let view = OperationView { name: "a".into(), attempt: 2, ..view };
        let progress = [view];
        let from =
            StartFrom { running: &running, progress: &progress, interrupted: 1, ..StartFrom::default() };
        Hand::from(&agenda, from).launched[0].1
    };
    let at = |reported: bool| {
        let now = Timestamp::from_second(1).unwrap();
        let ledger =
            Ledger { spoke_at: Some(now), reported_at: reported.then_some(now), ..Ledger::default() };
        Some(Box::new(ledger))
    };
    let ready = || OperationView { state: OperationState::Ready, ..OperationView::default() };
    let failed_before = || OperationView { failure: Some(user_failure()), ..ready() };
    assert_eq!(launched(OperationView { state: OperationState::Executing, ..ready() }), 2);
    assert_eq!(launched(OperationView { ledger: at(false), ..ready() }), 2);
    assert_eq!(launched(OperationView { ledger: at(false), ..failed_before() }), 2, "attempt 1 had failed");
    assert_eq!(launched(OperationView { ledger: at(true), ..failed_before() }), 4, "attempt 2 has failed");
    assert_eq!(launched(ready()), 2, "told by a pool of an earlier version");
}

#[test]
fn a_lease_that_is_given_back_leaves_nothing_unsaid() {
    let operations = ["a", "b", "c"].map(|name| operation(name, json!({}), json!({"pop.retry": 2})));
    let agenda = agenda(
        operations.into_iter().chain([operation("d", json!("@<b.out>"), json!({}))]).collect(),
        json!({}),
    );
    let mut hand = Hand::start(&agenda, &[]);
    hand.exit("c", Err(user_failure()));
    hand.event(Event::Yield);
    assert_eq!(hand.killed, [0, 1]);
    hand.exit("a", Err(user_failure()));
    hand.exit("b", Ok(json!({})));
    assert!(!hand.run.is_quiet());
    for name in ["a", "b", "c"] {
        hand.commit(name);
    }
    assert!(hand.run.is_quiet());
    let (op, _) = hand.op("a");
    assert_eq!(hand.run.operation(op).unwrap().failures, 0, "to be stopped is no failure");
    assert_eq!(["a", "b", "c", "d"].map(|name| hand.state(name)), {
        use OperationState::{Ready, Succeeded, Waiting};
        [Ready, Succeeded, Ready, Waiting]
    });
    assert_eq!((hand.launches().len(), hand.end), (3, None), "`d` starts under the next lease");
}

#[test]
fn a_wait_for_room_is_told_as_ready() {
    let mut hand = Hand::start(&agenda(vec![operation("a", json!({}), json!({}))], json!({})), &[]);
    let (op, attempt) = hand.op("a");
    hand.event(Event::Waiting { op, attempt, reason: "no processor is free".into() });
    assert_eq!(hand.reported, [("a".into(), OperationState::Ready)]);
    hand.succeed("a", json!({}));
    assert_eq!(hand.end_state(), Some(AgendaState::Succeeded));
}

#[test]
fn an_agenda_that_is_done_already_ends_at_once() {
    let agenda = agenda(vec![operation("a", json!({}), json!({}))], json!({}));
    let done =
        OperationView { name: "a".into(), state: OperationState::Succeeded, ..OperationView::default() };
    assert_eq!(Hand::start(&agenda, &[done]).end_state(), Some(AgendaState::Succeeded));
}

#[test]
fn a_chain_of_100_000_skips_does_not_recurse() {
    let n = 100_000;
    let mut operations = vec![operation("0", json!({}), json!({}))];
    operations
        .extend((1..n).map(|i| operation(&i.to_string(), json!(format!("@<{}.out>", i - 1)), json!({}))));
    let mut hand = Hand::start(&agenda(operations, json!({})), &[]);
    hand.exit("0", Err(user_failure()));
    hand.commit("0");
    assert_eq!(hand.end_state(), Some(AgendaState::Failed));
    assert_eq!(hand.reported.len(), n + 1);
}
