//! What operations have put out so far, and what an operation's input and condition become with it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::api::{Failure, FailureClass};
use pop_compiler::generator;
use pop_compiler::reference::{self, Mode};
use serde_json::{Map, Value};

use super::{Plan, Step, fail};

/// The committed outputs by token name (`probe.out`), and the run's own tokens.
#[derive(Debug)]
pub struct Outputs {
    values: HashMap<String, Value>,
    /// How many operations the families have that generators made.
    families: HashMap<String, usize>,
}

impl Outputs {
    pub(super) fn new(agenda: &str, customer: Option<&str>) -> Self {
        let mut values = HashMap::new();
        values.insert("pop.agendaId".to_owned(), Value::from(agenda));
        values.insert("pop.customerId".to_owned(), customer.map_or(Value::Null, Value::from));
        Self { values, families: HashMap::new() }
    }

    pub(super) fn insert(&mut self, operation: &str, output: Value) {
        self.values.insert(format!("{operation}.out"), output);
    }

    /// A family of so many operations is there.
    pub(super) fn insert_family(&mut self, stem: &str, count: usize) {
        self.families.insert(stem.to_owned(), count);
    }

    /// The value with a list in the place of each reference to a whole family.
    fn gathered<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        if self.families.is_empty() {
            return Cow::Borrowed(value);
        }
        let mut value = value.clone();
        generator::gather(&mut value, &mut |stem| self.families.get(stem).copied());
        Cow::Owned(value)
    }

    /// Whether the step's condition holds; no condition holds.
    pub(super) fn condition(&self, step: &Step) -> Result<bool, Failure> {
        let Some(when) = &step.when else { return Ok(true) };
        match self.fill(step, when)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(fail(
                FailureClass::User,
                "ConditionInvalid",
                format!("invalid condition in `when`: expected true or false, found {}", short(&other)),
            )),
        }
    }

    /// The step's input with every reference replaced.
    pub(super) fn payload(&self, step: &Step) -> Result<Value, Failure> {
        self.fill(step, &step.payload)
    }

    /// The workflow's outputs; none when the agenda declares none. An output of an operation that did not run is null.
    pub(super) fn result(&self, plan: &Plan) -> Result<Option<Value>, Failure> {
        let Some(result) = &plan.result else { return Ok(None) };
        let mut outputs = Map::new();
        for (name, value) in result {
            let (value, report) = reference::substitute(
                &self.gathered(value),
                &|name: &str| self.values.get(name),
                Mode::Final,
            );
            if let Some(token) = report.invalid.iter().next() {
                return Err(fail(
                    FailureClass::User,
                    "OutputMissing",
                    format!("cannot build the workflow's output `{name}`: {}.", absent(token)),
                ));
            }
            outputs.insert(name.clone(), if report.missing.is_empty() { value } else { Value::Null });
        }
        Ok(Some(Value::Object(outputs)))
    }

    fn fill(&self, step: &Step, value: &Value) -> Result<Value, Failure> {
        let own = Value::from(step.name.as_str());
        let lookup =
            |name: &str| if name == "pop.operationName" { Some(&own) } else { self.values.get(name) };
        let (value, report) = reference::substitute(&self.gathered(value), &lookup, Mode::Final);
        match report.missing.iter().chain(&report.invalid).next() {
            None => Ok(value),
            Some(token) => Err(fail(
                FailureClass::User,
                "ReferenceInvalid",
                format!(
                    "cannot build the input: {}{}. Give the reference a default behind `??` if the value may be absent.",
                    absent(token),
                    self.beyond(token)
                ),
            )),
        }
    }

    /// What to say of a reference to an item beyond the end of its family.
    fn beyond(&self, token: &str) -> String {
        let name = reference::whole(token).and_then(|token| reference::operation_of(token.name));
        let stem = name.and_then(|name| name.rsplit_once('.')).map_or("", |(stem, _)| stem);
        match self.families.get(stem) {
            Some(count) => format!(" (`{stem}` has {count} items, numbered from 0)"),
            None => String::new(),
        }
    }
}

/// What a reference does not find.
fn absent(token: &str) -> String {
    let parts = reference::whole(token).and_then(|t| Some((reference::operation_of(t.name)?, t.pointer?)));
    match parts {
        Some((operation, pointer)) if !pointer.is_empty() => {
            format!("the output of `{operation}` has no value at `{pointer}`")
        }
        _ if token.starts_with("@<") => format!("`{token}` has no value"),
        _ => token.to_owned(),
    }
}

/// A value, cut to what fits in a message.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
