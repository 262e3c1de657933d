//! An operation that is being added to a workflow.

use std::fmt;
use std::marker::PhantomData;

use serde_json::{Map, Value, json};

use pop_compiler::write_name;

use super::given::{Given, Many, Out};
use super::{Builder, out};
use crate::places::Place;

/// An operation that is being added; [`Step::done`] adds it.
#[must_use = "call `done()` to add the operation"]
pub struct Step<'b, T> {
    builder: &'b mut Builder,
    name: String,
    place: Place,
    /// Everything but `with`.
    body: Map<String, Value>,
    with: Map<String, Value>,
    /// The name of the only output of a workflow, when that is its result.
    pub(super) single: Option<&'static str>,
    ty: PhantomData<fn() -> T>,
}

/// An operation that is being added once for each item of a list.
#[must_use = "call `done()` to add the operation"]
pub struct Fan<'b, T>(Step<'b, T>);

impl<T> fmt::Debug for Step<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("name", &self.name).field("body", &self.body).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Fan<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'b, T> Step<'b, T> {
    pub(super) fn new(builder: &'b mut Builder, name: String, place: Place, kind: (&str, String)) -> Self {
        let body = Map::from_iter([(kind.0.to_owned(), Value::String(kind.1))]);
        Self { builder, name, place, body, with: Map::new(), single: None, ty: PhantomData }
    }

    /// Gives it something, by the input's name in JSON.
    pub fn with(mut self, input: impl Into<String>, value: impl Into<Given>) -> Self {
        self.with.insert(input.into(), value.into().into_json());
        self
    }

    /// Gives it everything that is in a record, such as an operation's struct.
    ///
    /// # Panics
    /// The record can't be written as JSON.
    pub fn with_all(mut self, record: impl serde::Serialize) -> Self {
        if let Value::Object(fields) = Given::of(record).into_json() {
            self.with.extend(fields);
        }
        self
    }

    /// Once for each item of a list: `inputs` gives it what it needs, from the item and its index.
    pub fn each<I>(
        mut self,
        list: &Out<Vec<I>>,
        inputs: impl FnOnce(Self, Out<I>, Out<u64>) -> Self,
    ) -> Fan<'b, T> {
        self.body.insert("each".into(), Given::from(list).into_json());
        Fan(inputs(self, Out::new("each".into()), Out::new("each_index".into())))
    }

    /// What people should know about it.
    pub fn description(self, text: impl Into<String>) -> Self {
        self.setting("description", Value::String(text.into()))
    }

    /// Only when this is true; otherwise it is skipped.
    pub fn when(self, condition: &Out<bool>) -> Self {
        let condition = Given::from(condition).into_json();
        self.setting("when", condition)
    }

    /// Only after these operations have ended, whose outputs it does not need.
    pub fn after<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let names: Vec<Value> = names.into_iter().map(|name| Value::String(name.into())).collect();
        self.setting("after", Value::Array(names))
    }

    /// How often it is tried: a number, or `{ "attempts": 3, "backoff": "10s..5m", "on": ["error"] }`.
    pub fn retry(self, retry: impl Into<Value>) -> Self {
        self.setting("retry", retry.into())
    }

    /// The longest that one attempt may run, such as `2h`.
    pub fn timeout(self, timeout: impl Into<String>) -> Self {
        self.setting("timeout", Value::String(timeout.into()))
    }

    /// What it needs, in Kubernetes quantities, such as `4` and `8Gi`.
    pub fn resources(self, cpu: impl Into<String>, memory: impl Into<String>) -> Self {
        self.setting("resources", json!({ "cpu": cpu.into(), "memory": memory.into() }))
    }

    fn setting(mut self, key: &str, value: Value) -> Self {
        self.body.insert(key.to_owned(), value);
        self
    }

    /// Adds it, and gives a handle of its output.
    pub fn done(self) -> Out<T> {
        let (name, rest) = self.finish();
        out(format!("{name}{rest}"))
    }

    /// What a reference to its output starts with, and goes on with.
    fn finish(mut self) -> (String, String) {
        let Self { builder, name, place, .. } = self;
        if !self.with.is_empty() {
            self.body.insert("with".into(), Value::Object(self.with));
        }
        builder.places.insert(name.as_str(), place);
        let reference = write_name(&name);
        builder.operations.push((name, Value::Object(self.body)));
        let rest = self.single.map(|single| super::given::path("", single)).unwrap_or_default();
        (reference, rest)
    }
}

impl<T> Fan<'_, T> {
    /// As [`Step::description`].
    pub fn description(self, text: impl Into<String>) -> Self {
        Self(self.0.description(text))
    }

    /// As [`Step::when`].
    pub fn when(self, condition: &Out<bool>) -> Self {
        Self(self.0.when(condition))
    }

    /// As [`Step::after`].
    pub fn after<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        Self(self.0.after(names))
    }

    /// As [`Step::retry`].
    pub fn retry(self, retry: impl Into<Value>) -> Self {
        Self(self.0.retry(retry))
    }

    /// As [`Step::timeout`].
    pub fn timeout(self, timeout: impl Into<String>) -> Self {
        Self(self.0.timeout(timeout))
    }

    /// As [`Step::resources`].
    pub fn resources(self, cpu: impl Into<String>, memory: impl Into<String>) -> Self {
        Self(self.0.resources(cpu, memory))
    }

    /// Adds it, and gives a handle of the outputs of all.
    pub fn done(self) -> Many<T> {
        let (name, rest) = self.0.finish();
        Many { name, rest, ty: PhantomData }
    }
}
