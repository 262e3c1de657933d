//! Runs an agenda in one thread, one operation after the other, in an order that depends on nothing but the agenda: what is
//! ready first runs first. The rules are the server's; a test over random agendas holds them together.

use std::collections::{HashMap, VecDeque};

use pop_compiler::agenda::{Agenda, Operation, keys};
use pop_compiler::generator::{Generator, Promises};
use pop_compiler::graph::{self, Dependency};
use pop_compiler::reference::{self, Mode};
use pop_compiler::retry::RetryPolicy;
use serde_json::{Map, Value};

use crate::HandlerError;
use crate::api::{Failure, FailureClass, OperationState};

/// How often a failure of the machine is tried again, whatever `retry` says.
const INFRA_RETRIES: u32 = 5;

/// What became of one operation.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) state: OperationState,
    pub(super) attempts: u32,
    pub(super) output: Option<Value>,
    pub(super) failure: Option<Failure>,
}

/// What became of all of them.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) operations: Vec<Outcome>,
    /// Every attempt: the operation's index and its input.
    pub(super) started: Vec<(usize, Value)>,
    pub(super) outputs: Result<Option<Value>, Failure>,
}

/// Performs an attempt: operation, attempt, input.
pub(super) type Perform<'p> = dyn FnMut(&Operation, u32, Value) -> Result<Value, HandlerError> + 'p;

pub(super) struct Machine {
    /// The agenda's, and after them those that generators made.
    pub(super) operations: Vec<Operation>,
    pub(super) ops: Vec<Op>,
    pub(super) names: HashMap<String, usize>,
    pub(super) promises: Promises,
    /// What became of each promise, and who waits for it.
    pub(super) kept: Vec<Kept>,
    /// Outputs by token name, and the run's own tokens.
    values: HashMap<String, Value>,
    result: Option<Value>,
    /// Started, but not yet performed: the operation and its input.
    live: VecDeque<(usize, Value)>,
    /// Ended, but nobody else knows yet.
    ended: VecDeque<usize>,
    stop: bool,
    stopping: bool,
    first_failure: Option<Failure>,
    started: Vec<(usize, Value)>,
}

#[derive(Default)]
pub(super) struct Op {
    pub(super) outcome: Outcome,
    retry: RetryPolicy,
    pub(super) needs: Vec<Dependency>,
    /// Who has to look again when this one has ended.
    pub(super) dependents: Vec<usize>,
    live: bool,
    /// What it made, until its end has had its consequences.
    pub(super) made: Option<Vec<Operation>>,
    /// Its end has had its consequences.
    pub(super) settled: bool,
    failures: u32,
    infra_failures: u32,
}

/// What became of a promise, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) made: Option<Result<usize, Doom>>,
    pub(super) waiters: Vec<usize>,
}

/// Why an operation is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doom {
    Condition,
    Failure,
}

/// Runs every operation that can run.
pub(super) fn run(agenda: &Agenda, perform: &mut Perform<'_>) -> Ended {
    let mut machine = Machine::new(agenda);
    let first = machine.add(agenda.operations.iter().cloned().collect());
    machine.release(first);
    machine.settle();
    while let Some((op, input)) = machine.live.pop_front() {
        machine.attempt(op, input, perform);
    }
    machine.end()
}

impl Machine {
    fn new(agenda: &Agenda) -> Self {
        let mut values = HashMap::new();
        values.insert("pop.agendaId".to_owned(), Value::from(agenda.id.as_deref().unwrap_or("ag_test")));
        values.insert(
            "pop.customerId".to_owned(),
            agenda.customer_id.as_deref().map_or(Value::Null, Value::from),
        );
        Self {
            operations: Vec::new(),
            ops: Vec::new(),
            names: HashMap::new(),
            promises: Promises::default(),
            kept: Vec::new(),
            values,
            result: agenda.params.get(keys::RESULT).cloned(),
            live: VecDeque::new(),
            ended: VecDeque::new(),
            stop: agenda.params.get(keys::ON_FAILURE).and_then(Value::as_str) == Some("stop"),
            stopping: false,
            first_failure: None,
            started: Vec::new(),
        }
    }

    /// Adds operations, and gives their indices.
    pub(super) fn add(&mut self, operations: Vec<Operation>) -> Vec<usize> {
        let first = self.ops.len();
        for operation in operations {
            let outcome =
                Outcome { name: operation.name.clone(), kind: operation.kind.clone(), ..Outcome::default() };
            let retry = RetryPolicy::from_params(&operation.params).ok().flatten().unwrap_or_default();
            let needs = graph::dependencies(&operation);
            let index = self.ops.len();
            self.names.entry(operation.name.clone()).or_insert(index);
            if let Ok(Some(generator)) = Generator::of(&operation) {
                self.promises.add(index, generator.promises);
                self.kept.resize_with(self.promises.list().len(), Kept::default);
            }
            self.ops.push(Op { outcome, retry, needs, ..Op::default() });
            self.operations.push(operation);
        }
        let added: Vec<usize> = (first..self.ops.len()).collect();
        for &op in &added {
            self.register(op);
        }
        added
    }

    /// Starts, skips or fails operations that wait for nothing any more, and in turn those that this releases.
    fn release(&mut self, candidates: Vec<usize>) {
        let mut work = VecDeque::from(candidates);
        while let Some(op) = work.pop_front() {
            if self.ops[op].live || self.ops[op].outcome.state.is_terminal() {
                continue;
            }
            match self.waits(op) {
                None => continue,
                Some(None) => {}
                Some(Some(doom)) => {
                    work.extend(self.skip(op, doom));
                    continue;
                }
            }
            if self.stopping {
                self.skip(op, Doom::Failure);
                continue;
            }
            let operation = &self.operations[op];
            match self.condition(operation) {
                Ok(true) => match self.fill(operation, &operation.payload) {
                    Ok(input) => {
                        self.ops[op].live = true;
                        self.live.push_back((op, input));
                    }
                    Err(failure) => self.fail_unstarted(op, failure),
                },
                Ok(false) => work.extend(self.skip(op, Doom::Condition)),
                Err(failure) => self.fail_unstarted(op, failure),
            }
        }
    }

    /// Lets every end that has been reached have its consequences.
    fn settle(&mut self) {
        while let Some(op) = self.ended.pop_front() {
            let failed = self.ops[op].outcome.state == OperationState::Failed;
            if failed && self.stop && !self.stopping {
                self.stopping = true;
                for op in 0..self.ops.len() {
                    if !self.ops[op].live && !self.ops[op].outcome.state.is_terminal() {
                        self.skip(op, Doom::Failure);
                    }
                }
            }
            let released = self.after(op, failed.then_some(Doom::Failure));
            self.release(released);
        }
    }

    /// Performs an attempt.
    fn attempt(&mut self, op: usize, input: Value, perform: &mut Perform<'_>) {
        self.ops[op].outcome.attempts += 1;
        self.ops[op].live = false;
        self.started.push((op, input.clone()));
        let operation = &self.operations[op];
        let name = operation.name.clone();
        let performed = perform(operation, self.ops[op].outcome.attempts, input);
        match performed.and_then(|output| self.read_made(op, output)) {
            Ok(output) => {
                self.values.insert(format!("{name}.out"), output.clone());
                let outcome = &mut self.ops[op].outcome;
                outcome.state = OperationState::Succeeded;
                outcome.failure = None;
                outcome.output = Some(output);
                self.ended.push_back(op);
            }
            Err(error) => {
                let failure = error.failure();
                if !self.stopping && self.tries_again(op, &failure) {
                    self.ops[op].outcome.failure = Some(failure);
                    self.release(vec![op]); // others are ahead of it, as if it waited for its delay
                } else {
                    self.fail(op, failure);
                }
            }
        }
        self.settle();
    }

    /// Its input can't be made: no attempt would do better.
    fn fail_unstarted(&mut self, op: usize, failure: Failure) {
        self.ops[op].outcome.attempts += 1;
        self.fail(op, failure);
    }

    fn tries_again(&mut self, op: usize, failure: &Failure) -> bool {
        let op = &mut self.ops[op];
        if failure.class == FailureClass::Infra {
            op.infra_failures += 1;
            return op.infra_failures <= INFRA_RETRIES;
        }
        op.failures += 1;
        op.failures < op.retry.attempts && op.retry.covers(failure.class.cause())
    }

    fn fail(&mut self, op: usize, failure: Failure) {
        let outcome = &mut self.ops[op].outcome;
        outcome.state = OperationState::Failed;
        outcome.failure = Some(failure.clone());
        if self.first_failure.is_none() {
            self.first_failure = Some(Failure { operation: Some(outcome.name.clone()), ..failure });
        }
        self.ended.push_back(op);
    }

    fn skip(&mut self, op: usize, doom: Doom) -> Vec<usize> {
        let outcome = &mut self.ops[op].outcome;
        outcome.state = OperationState::Skipped;
        outcome.failure = match doom {
            Doom::Condition => None,
            Doom::Failure => {
                Some(HandlerError::error("something else failed").code("DependencyFailed").failure())
            }
        };
        self.after(op, Some(doom))
    }

    fn condition(&self, operation: &Operation) -> Result<bool, Failure> {
        let Some(when) = operation.params.get(keys::WHEN).filter(|v| !v.is_null()) else { return Ok(true) };
        match self.fill(operation, when)? {
            Value::Bool(holds) => Ok(holds),
            other => {
                let message = format!("`when` must be true or false, but it is {other}");
                Err(HandlerError::error(message).code("ConditionInvalid").failure())
            }
        }
    }

    fn fill(&self, operation: &Operation, value: &Value) -> Result<Value, Failure> {
        let own = Value::from(operation.name.as_str());
        let lookup =
            |name: &str| if name == "pop.operationName" { Some(&own) } else { self.values.get(name) };
        let (value, report) = reference::substitute(&self.gathered(value), &lookup, Mode::Final);
        match report.missing.iter().chain(&report.invalid).next() {
            None => Ok(value),
            Some(token) => {
                let message = format!("the input can't be made: nothing is at `{token}`");
                Err(HandlerError::error(message).code("ReferenceInvalid").failure())
            }
        }
    }

    fn end(mut self) -> Ended {
        let stuck = self.ops.iter().find(|op| !op.outcome.state.is_terminal());
        let stuck = stuck.map(|op| {
            let message =
                format!("operation `{}` waits for itself or for what waits for it", op.outcome.name);
            HandlerError::error(message).code("AgendaInvalid").failure()
        });
        let outputs = match self.first_failure.take().or(stuck) {
            Some(failure) => Err(failure),
            None => self.outputs(),
        };
        let operations = self.ops.into_iter().map(|op| op.outcome).collect();
        Ended { operations, started: self.started, outputs }
    }

    fn outputs(&self) -> Result<Option<Value>, Failure> {
        let Some(Value::Object(result)) = &self.result else { return Ok(None) };
        let mut outputs = Map::new();
        for (name, value) in result {
            let (value, report) =
                reference::substitute(&self.gathered(value), &|n: &str| self.values.get(n), Mode::Final);
            if let Some(token) = report.invalid.iter().next() {
                let message =
                    format!("the workflow's output `{name}` can't be made: nothing is at `{token}`");
                return Err(HandlerError::error(message).code("OutputMissing").failure());
            }
            outputs.insert(name.clone(), if report.missing.is_empty() { value } else { Value::Null });
        }
        Ok(Some(Value::Object(outputs)))
    }
}
