//! What never changes while an agenda runs: its operations, their settings, and who waits for whom. Built once, in
//! time linear in the agenda's size; nothing here knows what has happened so far.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use pop_compiler::agenda::{Agenda, Operation, RunSpec, Stdout, keys};
use pop_compiler::duration;
use pop_compiler::graph;
pub use pop_compiler::graph::EdgeKind;
use pop_compiler::quantity;
use pop_compiler::retry::RetryPolicy;
use pop_sdk::api::{Failure, FailureClass};
use serde_json::Value;

use super::fail;

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
    pub needs: Needs,
    /// How its type is run, as the agenda says.
    pub spec: Option<RunSpec>,
    /// How many operations it waits for.
    pub waits_for: usize,
    /// Who waits for it.
    pub dependents: Vec<Edge>,
}

/// Declared resources; zero means "none declared", which is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
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
                return Err(invalid(format!("two operations are called `{}`", operation.name)));
            }
        }
        let specs = specs(agenda)?;
        let mut steps = Vec::with_capacity(agenda.operations.len());
        for operation in &agenda.operations {
            steps.push(step(operation, &specs)?);
        }
        for (i, operation) in agenda.operations.iter().enumerate() {
            let needs = dependencies(operation, &index)?;
            steps[i].waits_for = needs.len();
            for (from, kind) in needs {
                steps[from].dependents.push(Edge { to: i, kind });
            }
        }
        let on_failure = match agenda.params.get(keys::ON_FAILURE).and_then(Value::as_str) {
            Some("stop") => OnFailure::Stop,
            _ => OnFailure::Continue,
        };
        let result = agenda
            .params
            .get(keys::RESULT)
            .and_then(Value::as_object)
            .map(|map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        Ok(Self { steps, on_failure, result, customer: agenda.customer_id.clone(), cid: agenda.cid.clone() })
    }
}

fn invalid(message: String) -> Failure {
    fail(FailureClass::Platform, "AgendaInvalid", message)
}

fn specs(agenda: &Agenda) -> Result<HashMap<String, RunSpec>, Failure> {
    let Some(types) = agenda.params.get(keys::TYPES).and_then(Value::as_object) else {
        return Ok(HashMap::new());
    };
    let mut specs = HashMap::with_capacity(types.len());
    for (kind, spec) in types {
        let spec: RunSpec = serde_json::from_value(spec.clone())
            .map_err(|e| invalid(format!("`{}` says of type `{kind}`: {e}", keys::TYPES)))?;
        specs.insert(kind.clone(), spec);
    }
    Ok(specs)
}

fn step(operation: &Operation, specs: &HashMap<String, RunSpec>) -> Result<Step, Failure> {
    let bad = |key: &str, e: String| invalid(format!("operation `{}`, `{key}`: {e}", operation.name));
    let param = |key: &str| operation.params.get(key).filter(|v| !v.is_null());
    let timeout = match param(keys::TIMEOUT) {
        None => None,
        Some(Value::String(text)) => {
            Some(duration::parse(text).map_err(|e| bad(keys::TIMEOUT, e.to_string()))?)
        }
        Some(other) => return Err(bad(keys::TIMEOUT, format!("{other} is not a duration such as \"2h\""))),
    };
    let retry = RetryPolicy::from_params(&operation.params)
        .map_err(|e| bad(keys::RETRY, e.to_string()))?
        .unwrap_or_default();
    Ok(Step {
        name: operation.name.clone(),
        kind: operation.kind.clone(),
        id: operation.id.clone(),
        payload: operation.payload.clone(),
        when: param(keys::WHEN).cloned(),
        retry,
        timeout,
        needs: needs(operation).map_err(|e| bad(keys::RESOURCES, e))?,
        spec: specs.get(&operation.kind).cloned(),
        waits_for: 0,
        dependents: Vec::new(),
    })
}

fn needs(operation: &Operation) -> Result<Needs, String> {
    let Some(resources) = operation.params.get(keys::RESOURCES).and_then(Value::as_object) else {
        return Ok(Needs::default());
    };
    let text = |key: &str| match resources.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.clone())),
        Some(Value::Number(n)) => Ok(Some(n.to_string())),
        Some(other) => Err(format!("{other} is not a quantity such as \"4\" or \"8Gi\"")),
    };
    let mut needs = Needs::default();
    if let Some(cpu) = text("cpu")? {
        needs.cpu_millis = quantity::millis(&cpu).map_err(|e| e.to_string())?;
    }
    if let Some(memory) = text("memory")? {
        needs.memory = quantity::bytes(&memory).map_err(|e| e.to_string())?;
    }
    Ok(needs)
}

/// The operations that this one waits for, each once, with the strongest reason.
fn dependencies(
    operation: &Operation,
    index: &HashMap<&str, usize>,
) -> Result<Vec<(usize, EdgeKind)>, Failure> {
    let mut found: BTreeMap<usize, EdgeKind> = BTreeMap::new();
    for dependency in graph::dependencies(operation) {
        let Some(&from) = index.get(dependency.name.as_str()) else {
            return Err(invalid(format!(
                "operation `{}` needs `{}`, which isn't there",
                operation.name, dependency.name
            )));
        };
        let kind = found.entry(from).or_insert(dependency.kind);
        *kind = (*kind).max(dependency.kind);
    }
    Ok(found.into_iter().collect())
}

/// Whether standard output is the operation's output.
pub fn stdout_is_output(spec: &RunSpec) -> bool {
    spec.stdout != Stdout::Log
}
