//! Drives a [`Run`] in one thread: an attempt is its mock, what is reported is durable at once, a delay takes no time. The
//! order depends on nothing but the agenda: what is ready first runs first.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use pop_compiler::agenda::Agenda;
use serde_json::Value;

use crate::HandlerError;
use crate::api::{AgendaEnd, Failure, FailureClass, OperationState, OperationView};
use crate::run::{Effect, Event, Plan, Run, StartFrom, Step, fail};

/// What became of all operations.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// The agenda's operations in its order, then those that were made; each as it ended.
    pub(super) operations: Vec<OperationView>,
    /// Every attempt: the operation's index and its input.
    pub(super) started: Vec<(usize, Value)>,
    pub(super) outputs: Result<Option<Value>, Failure>,
}

/// Performs an attempt: operation, attempt, input.
pub(super) type Perform<'p> = dyn FnMut(&Step, u32, Value) -> Result<Value, HandlerError> + 'p;

/// Every moment of a test run.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Runs every operation that can run.
pub(super) fn run(agenda: &Agenda, perform: &mut Perform<'_>) -> Ended {
    let plan = match Plan::new(agenda) {
        Ok(plan) => plan,
        Err(failure) => {
            return Ended { operations: idle(agenda), started: Vec::new(), outputs: Err(failure) };
        }
    };
    let id = agenda.id.as_deref().unwrap_or("ag_test");
    let (run, effects) = Run::start(plan, &StartFrom { agenda: id, ..StartFrom::default() }, NOW);
    let mut driver = Driver {
        run,
        effects: effects.into(),
        live: VecDeque::new(),
        outputs: HashMap::new(),
        started: Vec::new(),
        end: None,
    };
    loop {
        driver.settle();
        let Some((op, attempt, input)) = driver.live.pop_front() else { return driver.end() };
        driver.started.push((op, input.clone()));
        driver.event(Event::Started { op, attempt });
        let outcome = perform(&driver.run.plan().steps[op], attempt, input);
        driver.event(Event::Exited { op, attempt, outcome: outcome.map_err(|error| error.failure()) });
    }
}

struct Driver {
    run: Run,
    effects: VecDeque<Effect>,
    /// Launched and not yet performed: operation, attempt, input.
    live: VecDeque<(usize, u32, Value)>,
    outputs: HashMap<usize, Value>,
    started: Vec<(usize, Value)>,
    end: Option<AgendaEnd>,
}

impl Driver {
    fn event(&mut self, event: Event) {
        self.effects.extend(self.run.step(NOW, event));
    }

    /// Lets everything happen that needs no attempt.
    fn settle(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Launch { op, attempt, payload } => self.live.push_back((op, attempt, payload)),
                Effect::Report { op, view, commits } => {
                    if let Some(output) = view.output {
                        self.outputs.insert(op, output);
                    }
                    if commits {
                        self.event(Event::Committed { op, attempt: view.attempt });
                    }
                }
                // A mock takes no time, so it can't take too long; the delay before an attempt is over at once.
                Effect::Timer { op, attempt, kind, .. } => self.event(Event::Timer { op, attempt, kind }),
                Effect::Kill { .. } | Effect::Generated { .. } => {}
                Effect::End(end) => self.end = Some(end),
            }
        }
    }

    fn end(mut self) -> Ended {
        let operations: Vec<OperationView> = (0..self.run.plan().steps.len())
            .filter_map(|op| {
                let view = self.run.operation(op)?.clone();
                Some(OperationView { output: self.outputs.remove(&op), ..view })
            })
            .collect();
        let outputs = match self.end {
            Some(AgendaEnd { failure: Some(failure), .. }) => Err(failure),
            Some(end) => Ok(end.outputs),
            None => Err(stuck(&operations)),
        };
        Ended { operations, started: self.started, outputs }
    }
}

/// The failure of an agenda that can't go on: its operations wait for each other.
fn stuck(operations: &[OperationView]) -> Failure {
    let first = operations.iter().find(|o| !o.state.is_terminal()).map_or("", |o| o.name.as_str());
    let message = format!("operation `{first}` waits for itself, or for an operation that waits for it");
    fail(FailureClass::Platform, "AgendaInvalid", message)
}

/// The operations of an agenda that can't run at all.
fn idle(agenda: &Agenda) -> Vec<OperationView> {
    let idle = agenda.operations.iter().map(|o| OperationView {
        name: o.name.clone(),
        kind: o.kind.clone(),
        state: OperationState::Waiting,
        ..OperationView::default()
    });
    idle.collect()
}
