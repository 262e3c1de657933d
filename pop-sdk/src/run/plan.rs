//! What is to be done: an agenda's operations, their settings, and who waits for whom. Built once, in time linear in the
//! agenda's size; it only grows, by what generators make. The plan does not know the progress of the run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Failure, FailureClass};
pub use pop_compiler::agenda::EdgeKind;
use pop_compiler::agenda::{self, Agenda, Dependency, Operation, RunSpec, Stdout, keys};
use pop_compiler::duration;
use pop_compiler::generator::{FanOut, Generator, Promises, Wanted};
use pop_compiler::quantity;
use pop_compiler::retry::RetryPolicy;
use serde_json::Value;

use super::fail;
use super::spec::specs;

/// An agenda, prepared for running.
#[derive(Debug)]
pub struct Plan {
    /// The operations, in the agenda's order; all indices below point here.
    pub steps: Vec<Step>,
    /// What to do with operations that have not started when one has failed.
    pub on_failure: OnFailure,
    /// The workflow's outputs (`pop.result`): name and value with references.
    pub result: Option<Vec<(String, Value)>>,
    /// The owner, for `pop.customerId`.
    pub customer: Option<String>,
    /// Correlation id, for the program's `CID`.
    pub cid: Option<String>,
    /// What generators will make.
    pub(super) promises: Promises,
    /// Who waits for what was promised, by its place in `promises`.
    pub(super) waiters: Vec<Vec<Waiter>>,
    /// How types run, as the agenda says.
    specs: HashMap<String, Arc<RunSpec>>,
    /// Name → operation, and the names in lower case; empty where nothing will ever be added.
    names: HashMap<String, usize>,
    folded: HashSet<String>,
}

/// What a failure means for operations that do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// They go on (the default).
    Continue,
    /// They are skipped; what runs finishes (POP's way).
    Stop,
}

/// One operation, prepared for running.
#[derive(Debug)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its own id, informational.
    pub id: Option<String>,
    /// The input, with references.
    pub payload: Value,
    /// The condition, with references.
    pub when: Option<Value>,
    /// How often, how long apart and after which failures it is tried again.
    pub retry: RetryPolicy,
    /// The longest one attempt may run.
    pub timeout: Option<Duration>,
    /// What it needs while it runs.
    pub resources: Resources,
    /// How its type is run, as the agenda says.
    pub spec: Option<Arc<RunSpec>>,
    /// What it makes for each item, when it is a fan-out.
    pub fan_out: Option<Arc<FanOut>>,
    /// Where its output holds more operations, when it is a generator.
    pub generator: Option<Generator>,
    /// What it promised: places in the plan's promises.
    pub(super) promised: Range<usize>,
    /// How many operations (and promises) it waits for.
    pub waits_for: usize,
    /// Who waits for it.
    pub dependents: Vec<Edge>,
}

/// An operation that waits for what a generator promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    /// The one that waits.
    pub(super) to: usize,
    /// Why.
    pub(super) kind: EdgeKind,
    /// For which of the promised ones.
    pub(super) wanted: Wanted,
}

/// Operations that a generator made, prepared for running; they are not part of the plan yet.
#[derive(Debug)]
pub(super) struct Prepared {
    steps: Vec<Step>,
    /// What each of them waits for.
    pub(super) dependencies: Vec<Vec<Dependency>>,
}

/// Declared resources; zero means "none declared", which is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu_millis: u64,
    /// Bytes.
    pub memory: u64,
}

/// One operation waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The one that waits.
    pub to: usize,
    /// Why.
    pub kind: EdgeKind,
}

impl Plan {
    /// Prepares an agenda that the compiler has found valid.
    ///
    /// # Errors
    /// A reference to an operation that isn't there, a duplicate name or a setting that can't be read. The compiler
    /// finds all of these before; this is the last line of defence and never a panic.
    pub fn new(agenda: &Agenda) -> Result<Self, Failure> {
        let mut index = HashMap::with_capacity(agenda.operations.len());
        for (i, operation) in agenda.operations.iter().enumerate() {
            if index.insert(operation.name.as_str(), i).is_some() {
                return Err(invalid(format!("duplicate operation name `{}`", operation.name)));
            }
        }
        let specs = specs(agenda)?;
        let mut promises = Promises::default();
        let mut steps = Vec::with_capacity(agenda.operations.len());
        for operation in &agenda.operations {
            let mut step = step(operation, &specs)?;
            promise(&mut promises, steps.len(), &mut step);
            steps.push(step);
        }
        let mut waiters = vec![Vec::new(); promises.list().len()];
        for (i, operation) in agenda.operations.iter().enumerate() {
            let needs = dependencies(operation, &index, &promises)?;
            steps[i].waits_for = needs.len();
            for (need, kind) in needs {
                match need {
                    Need::Operation(from) => steps[from].dependents.push(Edge { to: i, kind }),
                    Need::Promise(at, wanted) => waiters[at].push(Waiter { to: i, kind, wanted }),
                }
            }
        }
        let grows = steps.iter().any(|step| step.generator.is_some());
        let names =
            if grows { index.into_iter().map(|(n, i)| (n.to_owned(), i)).collect() } else { HashMap::new() };
        let folded = names.keys().map(|name| name.to_lowercase()).collect();
        let on_failure = match agenda.params.get(keys::ON_FAILURE).and_then(Value::as_str) {
            Some("stop") => OnFailure::Stop,
            _ => OnFailure::Continue,
        };
        let result = agenda
            .params
            .get(keys::RESULT)
            .and_then(Value::as_object)
            .map(|map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        let (customer, cid) = (agenda.customer_id.clone(), agenda.cid.clone());
        Ok(Self { steps, on_failure, result, customer, cid, promises, waiters, specs, names, folded })
    }

    /// Takes the outputs that a pool's own catalog declares, for types of which the agenda declares none.
    pub fn declare(&mut self, types: &HashMap<String, Arc<RunSpec>>) {
        for (kind, own) in types.iter().filter(|(_, own)| own.output.is_some()) {
            let spec = self.specs.entry(kind.clone()).or_default();
            if spec.output.is_none() {
                Arc::make_mut(spec).output.clone_from(&own.output);
            }
        }
        for step in &mut self.steps {
            step.spec = self.specs.get(&step.kind).cloned();
        }
    }

    /// Who waits for an operation, or for what it promised to make.
    pub fn waiting_for(&self, op: usize) -> impl Iterator<Item = Edge> {
        let Step { dependents, promised, .. } = &self.steps[op];
        let waiters = self.waiters[promised.clone()].iter().flatten();
        dependents.iter().copied().chain(waiters.map(|w| Edge { to: w.to, kind: w.kind }))
    }

    /// The operation of this name. Only known where something may be added.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Whether a name in lower case is an operation's.
    pub(super) fn is_taken(&self, folded: &str) -> bool {
        self.folded.contains(folded)
    }

    /// How many operations a family has.
    pub(super) fn family_size(&self, stem: &str) -> usize {
        (0..self.steps.len()).take_while(|n| self.names.contains_key(&format!("{stem}.{n}"))).count()
    }

    /// Prepares operations that a generator made.
    ///
    /// # Errors
    /// A setting that can't be read; the compiler's checks find these before.
    pub(super) fn prepare(&self, operations: &[Operation]) -> Result<Prepared, Failure> {
        let steps = operations.iter().map(|o| step(o, &self.specs)).collect::<Result<_, _>>()?;
        Ok(Prepared { steps, dependencies: operations.iter().map(agenda::dependencies).collect() })
    }

    /// Adds what was made; nobody waits for it yet, and it waits for nothing.
    pub(super) fn add(&mut self, prepared: Prepared) -> (Range<usize>, Vec<Vec<Dependency>>) {
        let first = self.steps.len();
        for mut step in prepared.steps {
            promise(&mut self.promises, self.steps.len(), &mut step);
            self.names.insert(step.name.clone(), self.steps.len());
            self.folded.insert(step.name.to_lowercase());
            self.steps.push(step);
        }
        self.waiters.resize(self.promises.list().len(), Vec::new());
        (first..self.steps.len(), prepared.dependencies)
    }
}

/// Writes down what a step promises to make.
fn promise(promises: &mut Promises, index: usize, step: &mut Step) {
    let first = promises.list().len();
    promises.add(index, step.generator.as_ref().map(|g| g.promises.clone()).unwrap_or_default());
    step.promised = first..promises.list().len();
}

pub(super) fn invalid(message: String) -> Failure {
    fail(FailureClass::Platform, "AgendaInvalid", message)
}

fn step(operation: &Operation, specs: &HashMap<String, Arc<RunSpec>>) -> Result<Step, Failure> {
    let bad = |key: &str, e: String| invalid(format!("operation `{}`, `{key}`: {e}", operation.name));
    let param = |key: &str| operation.params.get(key).filter(|v| !v.is_null());
    let timeout = match param(keys::TIMEOUT) {
        None => None,
        Some(Value::String(text)) => {
            Some(duration::parse(text).map_err(|e| bad(keys::TIMEOUT, e.to_string()))?)
        }
        Some(other) => {
            return Err(bad(keys::TIMEOUT, format!("invalid duration {other}: use a text such as \"2h\"")));
        }
    };
    let retry = RetryPolicy::from_params(&operation.params)
        .map_err(|e| bad(keys::RETRY, e.to_string()))?
        .unwrap_or_default();
    let fan_out = FanOut::of(operation).map_err(|e| bad(keys::FAN_OUT, e))?;
    Ok(Step {
        name: operation.name.clone(),
        kind: operation.kind.clone(),
        id: operation.id.clone(),
        payload: operation.payload.clone(),
        when: param(keys::WHEN).cloned(),
        retry,
        timeout,
        resources: resources(operation).map_err(|e| bad(keys::RESOURCES, e))?,
        spec: specs.get(&operation.kind).cloned(),
        fan_out: fan_out.map(Arc::new),
        generator: Generator::of(operation).map_err(|(e, _)| bad(keys::GENERATOR, e))?,
        promised: 0..0,
        waits_for: 0,
        dependents: Vec::new(),
    })
}

fn resources(operation: &Operation) -> Result<Resources, String> {
    let Some(resources) = operation.params.get(keys::RESOURCES).and_then(Value::as_object) else {
        return Ok(Resources::default());
    };
    let text = |key: &str| match resources.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.clone())),
        Some(Value::Number(n)) => Ok(Some(n.to_string())),
        Some(other) => Err(format!("invalid quantity {other}: use a text such as \"4\" or \"8Gi\"")),
    };
    let mut declared = Resources::default();
    if let Some(cpu) = text("cpu")? {
        declared.cpu_millis = quantity::millis(&cpu).map_err(|e| e.to_string())?;
    }
    if let Some(memory) = text("memory")? {
        declared.memory = quantity::bytes(&memory).map_err(|e| e.to_string())?;
    }
    Ok(declared)
}

/// Something that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Operation(usize),
    /// What was promised: its place in the list, and which of it.
    Promise(usize, Wanted),
}

/// What an operation waits for, each once, with the strongest reason.
fn dependencies(
    operation: &Operation,
    index: &HashMap<&str, usize>,
    promises: &Promises,
) -> Result<Vec<(Need, EdgeKind)>, Failure> {
    let mut found: BTreeMap<Need, EdgeKind> = BTreeMap::new();
    for dependency in agenda::dependencies(operation) {
        let name = dependency.name.as_str();
        let known = index.get(name).map(|&from| Need::Operation(from));
        let need = known.or_else(|| promises.find(name).map(|(at, wanted)| Need::Promise(at, wanted)));
        let Some(need) = need else {
            return Err(invalid(format!(
                "operation `{}` refers to `{name}`, which does not exist",
                operation.name
            )));
        };
        let kind = found.entry(need).or_insert(dependency.kind);
        *kind = (*kind).max(dependency.kind);
    }
    Ok(found.into_iter().collect())
}

/// Whether standard output is the operation's output.
pub fn stdout_is_output(spec: &RunSpec) -> bool {
    spec.stdout != Stdout::Log
}
