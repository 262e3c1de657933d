//! What became of a test run, for assertions. Asking for an operation that isn't there is a mistake in the test, and panics
//! with the names there are.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::drive::Ended;
use crate::api::{Failure, OperationState, OperationView};
use crate::{HandlerError, Operation};

/// What became of a test run.
#[derive(Debug)]
pub struct TestReport<O> {
    ended: Ended,
    single: Option<&'static str>,
    result: PhantomData<fn() -> O>,
}

impl<O> TestReport<O> {
    pub(super) fn new(ended: Ended, single: Option<&'static str>) -> Self {
        Self { ended, single, result: PhantomData }
    }

    /// The operations in the order in which they started; one that was tried again stands there again.
    pub fn order(&self) -> Vec<&str> {
        self.attempted().map(|(name, _)| name).collect()
    }

    /// All operations: the agenda's in its order, then those that were made while it ran.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.ended.operations.iter().map(|o| o.name.as_str())
    }

    /// Every attempt, in order: the operation's name and its input as JSON.
    pub fn attempted(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.ended.started.iter().map(|(op, input)| (self.ended.operations[*op].name.as_str(), input))
    }

    /// The operations that ended in this state, in the agenda's order.
    pub fn in_state(&self, state: OperationState) -> Vec<&str> {
        self.ended.operations.iter().filter(|o| o.state == state).map(|o| o.name.as_str()).collect()
    }

    /// The operations that did not run: their condition was false, or something they need did not succeed.
    pub fn skipped(&self) -> Vec<&str> {
        self.in_state(OperationState::Skipped)
    }

    /// The operations that failed.
    pub fn failed(&self) -> Vec<&str> {
        self.in_state(OperationState::Failed)
    }

    /// How an operation ended.
    #[track_caller]
    pub fn state(&self, operation: &str) -> OperationState {
        self.find(operation).state
    }

    /// How often an operation was tried.
    #[track_caller]
    pub fn attempts(&self, operation: &str) -> u32 {
        self.find(operation).attempt
    }

    /// Why an operation failed, or why it was skipped when that was not by its own condition.
    #[track_caller]
    pub fn failure_of(&self, operation: &str) -> Option<&Failure> {
        self.find(operation).failure.as_ref()
    }

    /// What an operation put out, as JSON.
    #[track_caller]
    pub fn output_of(&self, operation: &str) -> Option<&Value> {
        self.find(operation).output.as_ref()
    }

    /// The input of an operation's last attempt, as JSON. None when it did not run.
    #[track_caller]
    pub fn input_of(&self, operation: &str) -> Option<&Value> {
        let name = self.find(operation).name.as_str();
        self.attempted().filter(|(other, _)| *other == name).last().map(|(_, input)| input)
    }

    /// The inputs of all attempts of `P`'s type, in their order.
    ///
    /// # Panics
    /// An input does not fit `P`; its operation has failed for that.
    #[track_caller]
    pub fn inputs<P: Operation + DeserializeOwned>(&self) -> Vec<P> {
        let of_type = |op: usize| self.ended.operations[op].kind == P::TYPE;
        let inputs = self.ended.started.iter().filter(|(op, _)| of_type(*op));
        inputs
            .map(|(op, input)| match serde_json::from_value(input.clone()) {
                Ok(input) => input,
                Err(e) => panic!("invalid input of `{}`: {e}", self.ended.operations[*op].name),
            })
            .collect()
    }

    /// The failure that ended the run.
    pub fn failure(&self) -> Option<&Failure> {
        self.ended.outputs.as_ref().err()
    }

    #[track_caller]
    fn find(&self, operation: &str) -> &OperationView {
        let all = &self.ended.operations;
        all.iter().find(|o| o.name == operation).unwrap_or_else(|| {
            let names: Vec<&str> = all.iter().map(|o| o.name.as_str()).collect();
            panic!("unknown operation `{operation}`; use one of {}", names.join(", "))
        })
    }
}

impl<O: DeserializeOwned> TestReport<O> {
    /// The workflow's result.
    ///
    /// # Errors
    /// Why the run failed, or why its outputs are not an `O`.
    pub fn outputs(&self) -> Result<O, Failure> {
        let outputs = self.ended.outputs.clone()?.unwrap_or_default();
        let result = match self.single {
            None => outputs,
            Some(name) => outputs.get(name).cloned().unwrap_or_default(),
        };
        serde_json::from_value(result).map_err(|e| {
            HandlerError::error(e)
                .context("the outputs do not match the result's type")
                .code("OutputInvalid")
                .failure()
        })
    }
}
