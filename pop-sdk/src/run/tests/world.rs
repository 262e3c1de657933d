//! A seeded world that finishes, fails, loses and restarts things at random, generators among them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pop_compiler::agenda::{self, keys};
use pop_compiler::generator::Promises;
use proptest::prelude::*;

use super::*;

/// It holds what is durable, and what the run believes. Operations are named, for a run may number them otherwise.
#[derive(Debug)]
struct World {
    /// What is durable of the agenda: as submitted, and what generators made.
    agenda: Agenda,
    run: Run,
    durable: BTreeMap<String, OperationView>,
    /// Committed ends, to see that there is only one for each operation and attempt.
    ends: BTreeSet<(String, u32)>,
    live: BTreeSet<(usize, u32)>,
    uncommitted: VecDeque<(usize, OperationView, bool)>,
    /// Every attempt that was ever launched, whether or not anybody heard of it.
    launched: BTreeSet<(String, u32)>,
    crashes: u32,
    generated: BTreeMap<usize, Vec<Operation>>,
    timers: Vec<(usize, u32, TimerKind)>,
    end: Option<AgendaEnd>,
}

impl World {
    fn new(agenda: Agenda) -> Self {
        let (run, effects) = Run::start(
            Plan::new(&agenda).unwrap(),
            &StartFrom { agenda: "ag_1", ..StartFrom::default() },
            at(0),
        );
        let mut world = Self {
            agenda,
            run,
            durable: BTreeMap::new(),
            ends: BTreeSet::new(),
            live: BTreeSet::new(),
            uncommitted: VecDeque::new(),
            launched: BTreeSet::new(),
            crashes: 0,
            generated: BTreeMap::new(),
            timers: vec![],
            end: None,
        };
        world.take(effects);
        world
    }

    fn name(&self, op: usize) -> String {
        self.run.plan().steps[op].name.clone()
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Launch { op, attempt, .. } => {
                    let name = self.name(op);
                    for up in self.upstream(&name) {
                        // A skip follows from what is durable, and its report travels ahead of this launch's.
                        let durable = self.durable.get(&up).is_some_and(|v| v.state.is_terminal());
                        let skipped = self
                            .uncommitted
                            .iter()
                            .any(|(_, v, _)| v.name == up && v.state == OperationState::Skipped);
                        assert!(durable || skipped, "I2: {name} started before {up}");
                    }
                    let earlier = self.durable.get(&name).map_or(0, |v| v.attempt);
                    assert!(attempt > earlier || earlier == 0, "attempts only go up");
                    assert!(
                        self.launched.insert((name.clone(), attempt)),
                        "{name} {attempt} was started twice"
                    );
                    assert!(!self.live.iter().any(|(o, _)| *o == op), "I3: two attempts of {name} at once");
                    self.live.insert((op, attempt));
                }
                Effect::Report { op, view, commits } => self.uncommitted.push_back((op, view, commits)),
                Effect::Generated { op, operations } => {
                    assert!(
                        self.generated.insert(op, operations).is_none(),
                        "a generator made its operations twice"
                    );
                }
                Effect::Timer { op, attempt, kind, .. } => self.timers.push((op, attempt, kind)),
                Effect::Kill { .. } => {}
                Effect::End(end) => self.end = Some(end),
            }
        }
    }

    /// What must have ended before this operation starts, as the durable agenda says. Of a family it is the generator
    /// and what that has made.
    fn upstream(&self, name: &str) -> Vec<String> {
        let operation =
            self.agenda.operations.iter().find(|o| o.name == name).expect("what starts is durable");
        let promises = Promises::new(&self.agenda.operations);
        let is = |name: &str| self.agenda.operations.iter().any(|o| o.name == name);
        let mut names = Vec::new();
        for dependency in agenda::dependencies(operation) {
            if is(&dependency.name) {
                names.push(dependency.name);
            } else if let Some((at, _)) = promises.find(&dependency.name) {
                let generator = &self.agenda.operations[promises.list()[at].generator].name;
                names.push(generator.clone());
                if dependency.name.ends_with(".*") || promises.list()[at].promise.stem() == dependency.name {
                    let stem = promises.list()[at].promise.stem();
                    names.extend((0..99).map(|n| format!("{stem}.{n}")).take_while(|name| is(name)));
                }
            }
        }
        names
    }

    fn event(&mut self, event: Event) {
        let effects = self.run.step(at(1), event);
        self.take(effects);
    }

    /// The oldest report becomes durable, with what belongs to it.
    fn commit_one(&mut self) {
        let Some((op, view, commits)) = self.uncommitted.pop_front() else { return };
        let (state, attempt, name) = (view.state, view.attempt, view.name.clone());
        assert!(
            self.agenda.operations.iter().any(|o| o.name == name),
            "{name} is reported before it is durable"
        );
        let old = self.durable.insert(name.clone(), view);
        assert!(!old.is_some_and(|v| v.state.is_terminal()), "a terminal operation changed");
        if state == OperationState::Succeeded {
            for operation in self.generated.remove(&op).unwrap_or_default() {
                assert_eq!(operation.params[keys::GENERATED_BY], name);
                let known =
                    self.agenda.operations.iter().any(|o| o.name.eq_ignore_ascii_case(&operation.name));
                assert!(!known, "{} was added twice", operation.name);
                self.agenda.operations.push(operation);
            }
        }
        if matches!(state, OperationState::Succeeded | OperationState::Failed) {
            assert!(self.ends.insert((name, attempt)), "I1: two outcomes of one attempt");
        }
        if commits {
            self.event(Event::Committed { op, attempt });
        }
    }

    /// Everything but what is durable is gone.
    fn crash(&mut self) {
        self.crashes += 1;
        self.live.clear();
        self.uncommitted.clear();
        self.generated.clear();
        self.timers.clear();
        self.end = None;
        for view in self.durable.values_mut() {
            // As the server gives back what was under way.
            if matches!(view.state, OperationState::Launching | OperationState::Executing) {
                view.state = OperationState::Ready;
            }
        }
        let progress: Vec<OperationView> = self.durable.values().cloned().collect();
        let plan = Plan::new(&self.agenda).expect("what is durable can be run");
        let from = StartFrom { agenda: "ag_1", progress: &progress, interrupted: self.crashes, running: &[] };
        let (run, effects) = Run::start(plan, &from, at(2));
        self.run = run;
        self.take(effects);
    }

    /// What an operation puts out that ends well; a generator's operations depend on `pick`.
    fn output(&self, op: usize, pick: usize) -> Value {
        let step = &self.run.plan().steps[op];
        let Some(generator) = &step.generator else { return json!({"v": true}) };
        let stem = generator.promises.first().map_or(step.name.as_str(), |p| p.stem());
        let mut operations = Vec::new();
        for n in 0..pick % 4 {
            let mut payload = vec![];
            if pick.is_multiple_of(3) && n > 0 {
                payload.push(json!(format!("@<{stem}.{}.out::/v>", n - 1)));
            }
            // Something older: often that is fine, sometimes it waits for this very generator.
            if pick % 5 < 2 {
                let older = &self.agenda.operations[(pick + n) % self.agenda.operations.len()].name;
                payload.push(json!(format!("@<{older}.out::/v?=1>")));
            }
            let mut made = json!({"name": format!("{stem}.{n}"), "type": "t", "payload": payload,
                "params": {"pop.retry": {"attempts": 2}}});
            if pick.is_multiple_of(7) && n == 0 && stem.len() < 6 {
                made["params"][keys::GENERATOR] =
                    json!({"operationsJsonPointer": "/made", "names": [format!("{stem}_.*")]});
            }
            operations.push(made);
        }
        if pick.is_multiple_of(11) {
            operations.push(json!({"name": "o0", "type": "t"}));
        }
        json!({ "made": operations, "v": true })
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
                        _ => Ok(self.output(op, pick)),
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
                let (op, attempt) = (pick % self.run.plan().steps.len(), u32::try_from(pick % 3).unwrap());
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
                self.act((2, 2));
            } else {
                assert!(!self.timers.is_empty(), "I4: nothing can happen, and it has not ended");
                self.act((7, 0));
            }
        }
        panic!("I4: it never ends");
    }
}

fn random_agenda() -> impl Strategy<Value = Agenda> {
    let edges = proptest::collection::vec((0usize..100, 0u8..4), 0..4);
    let one = (edges, 0u8..6, 1u32..4, any::<bool>());
    (proptest::collection::vec(one, 1..9), any::<bool>()).prop_map(|(ops, stop)| {
        let mut operations: Vec<Operation> = Vec::new();
        for (i, (edges, when, attempts, generates)) in ops.into_iter().enumerate() {
            let (mut payload, mut after) = (vec![], vec![]);
            for (from, kind) in edges.into_iter().filter(|_| i > 0) {
                let from = from % i;
                let generates = operations[from].params.contains_key(keys::GENERATOR);
                // What the other one makes, or itself.
                let name = match (generates, kind) {
                    (true, 0) => format!("f{from}"),
                    (true, 1) => format!("f{from}.1"),
                    (true, 2) => format!("f{from}.*"),
                    _ => format!("o{from}"),
                };
                match kind {
                    0 => after.push(name),
                    1 => payload.push(format!("@<{name}.out::/v?=1>")),
                    _ => payload.push(format!("@<{name}.out::/v?>")),
                }
                if kind > 1 && from % 2 == 0 {
                    payload.push(format!("@<o{from}.out>"));
                }
            }
            let mut params = json!({"pop.retry": {"attempts": attempts}, "dependsOn": after.join(",")});
            if when == 0 {
                params[keys::WHEN] = json!(false);
            }
            if generates {
                params[keys::GENERATOR] =
                    json!({"operationsJsonPointer": "/made", "names": [format!("f{i}.*")]});
            }
            operations.push(operation(&format!("o{i}"), json!(payload), params));
        }
        agenda(operations, json!({"pop.onFailure": if stop { "stop" } else { "continue" }}))
    })
}

proptest! {
    #[test]
    fn whatever_happens_every_operation_ends_once(
        agenda in random_agenda(),
        actions in proptest::collection::vec((0u8..10, 0usize..100), 0..160),
    ) {
        let mut world = World::new(agenda);
        for action in actions {
            world.act(action);
        }
        world.settle();
        for operation in &world.agenda.operations {
            let view = world.durable.get(&operation.name);
            let state = view.map(|v| v.state);
            prop_assert!(state.is_some_and(OperationState::is_terminal), "{} is {state:?}", operation.name);
            let attempts = operation.params["pop.retry"]["attempts"].as_u64().unwrap();
            let failures = view.map_or(0, |v| v.failures);
            prop_assert!(u64::from(failures) <= attempts, "I6: {failures} failures of {}", operation.name);
        }
        // A skip because of a failure never becomes a run: everything that succeeded had what it needed.
        for (name, view) in &world.durable {
            if view.state == OperationState::Succeeded {
                for up in world.upstream(name) {
                    prop_assert_ne!(world.durable[&up].state, OperationState::Failed, "{} of {}", up, name);
                }
            }
        }
    }
}
