//! Tests of workflows: a run in this process, with typed mocks for the operations, without a server or a clock.
//!
//! ```
//! use pop_sdk::testing::{TestRun, timeout};
//! use pop_sdk::{HandlerError, operation, workflow};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[operation("media.probe", output = Probed)]
//! #[derive(Deserialize, JsonSchema)]
//! pub struct Probe { url: String }
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! pub struct Probed { duration: f64, has_video: bool }
//!
//! #[operation("media.encode", output = Encoded)]
//! #[derive(Deserialize, JsonSchema)]
//! pub struct Encode { source: String, height: u32 }
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! pub struct Encoded { file: String }
//!
//! workflow! {
//!     pub encode_all(source: String, heights: Vec<u32>) -> Option<Vec<String>> {
//!         let probe = Probe { url: source };
//!         let encode = for height in heights {
//!             Encode { source, height }
//!         } with { retry: 2, timeout: "1h" } when probe.has_video;
//!         Some(encode[*].file)
//!     }
//! }
//!
//! # fn main() -> Result<(), pop_sdk::Findings> {
//! let workflow = encode_all::compile();
//! let inputs = encode_all::Inputs { source: "a.mov".into(), heights: vec![720, 1080] };
//!
//! let mut slow = true; // the first attempt of all
//! let run = TestRun::new(&workflow)
//!     .mock(|_: Probe| Ok(Probed { duration: 10.0, has_video: true }))
//!     .mock(move |e: Encode| {
//!         if std::mem::take(&mut slow) {
//!             return Err(timeout());
//!         }
//!         Ok(Encoded { file: format!("{}.{}", e.source, e.height) })
//!     })
//!     .run(&inputs)?;
//! assert_eq!(run.order(), ["probe", "encode.0", "encode.1", "encode.0"]);
//! assert_eq!(run.inputs::<Encode>()[1].height, 1080);
//! assert_eq!(run.outputs().unwrap().unwrap(), ["a.mov.720", "a.mov.1080"]);
//!
//! let audio = TestRun::new(&workflow)
//!     .mock(|_: Probe| Ok(Probed { duration: 10.0, has_video: false }))
//!     .run(&inputs)?;
//! assert_eq!(audio.skipped(), ["encode.0", "encode.1"]);
//!
//! let broken = TestRun::new(&workflow)
//!     .mock(|_: Probe| Err(HandlerError::fatal("no such file")))
//!     .run(&inputs)?;
//! assert_eq!(broken.outputs().unwrap_err().operation.as_deref(), Some("probe"));
//! # Ok(())
//! # }
//! ```
//!
//! The [run](crate::run) is the one that a server's pool drives: references, conditions, `after`, skips, retries by cause
//! (without their delays), `on_failure`. Operations run one after the other, what is ready first runs first, so a run is the same every time. The
//! built-in types (`pop.transform`, `pop.log`, `pop.sleep`, which takes no time) need no mock, and a fan-out over an output
//! makes its operations.

mod drive;
#[cfg(feature = "handler")]
mod handler;
mod report;

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use pop_compiler::agenda::Agenda;
use pop_compiler::generator::{FAN_OUT_TYPE, UPDATE_TYPE};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::api::FailureClass;
use crate::run::Step;
use crate::{Findings, HandlerError, Operation, Workflow};

#[cfg(feature = "handler")]
pub use self::handler::TestContext;
pub use self::report::TestReport;

type Mock = Box<dyn FnMut(&Step, u32, Value) -> Result<Value, HandlerError>>;

/// A workflow (or an agenda) with mocks for its operations; see the [module](self).
pub struct TestRun<I, O> {
    source: Source<I>,
    single: Option<&'static str>,
    mocks: HashMap<String, Mock>,
    result: PhantomData<fn() -> O>,
}

/// Makes the agenda from the inputs.
type Source<I> = Box<dyn Fn(&I) -> Result<Agenda, Findings>>;

impl<I, O> fmt::Debug for TestRun<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut mocked: Vec<&String> = self.mocks.keys().collect();
        mocked.sort();
        f.debug_struct("TestRun").field("mocked", &mocked).finish_non_exhaustive()
    }
}

/// The failure of an attempt that ran longer than its `timeout`.
pub fn timeout() -> HandlerError {
    HandlerError {
        class: FailureClass::UserTimeout,
        code: "Timeout".to_owned(),
        message: "ran longer than its timeout".to_owned(),
    }
}

impl<I: Serialize + 'static, O: 'static> TestRun<I, O> {
    /// A run of this workflow, without mocks yet.
    pub fn new(workflow: &Workflow<I, O>) -> Self {
        let single = workflow.single_output();
        let workflow = workflow.clone();
        Self::with(Box::new(move |inputs| workflow.agenda(inputs)), single)
    }
}

impl TestRun<(), Value> {
    /// A run of an agenda, wherever it comes from: `run(&())` gives its outputs as JSON.
    pub fn of_agenda(agenda: Agenda) -> Self {
        Self::with(Box::new(move |()| Ok(agenda.clone())), None)
    }
}

impl<I, O> TestRun<I, O> {
    fn with(source: Source<I>, single: Option<&'static str>) -> Self {
        Self { source, single, mocks: HashMap::new(), result: PhantomData }
    }

    /// Runs operations of `P`'s type with this function; a later one for the same type takes its place. An input that does
    /// not fit `P` fails the operation, as it would a handler.
    #[must_use]
    pub fn mock<P, F>(self, mut mock: F) -> Self
    where
        P: Operation + DeserializeOwned,
        P::Output: Serialize,
        F: FnMut(P) -> Result<P::Output, HandlerError> + 'static,
    {
        self.mock_attempts(move |_, input| mock(input))
    }

    /// As [`mock`](Self::mock), with the number of the attempt, from 1.
    #[must_use]
    pub fn mock_attempts<P, F>(self, mut mock: F) -> Self
    where
        P: Operation + DeserializeOwned,
        P::Output: Serialize,
        F: FnMut(u32, P) -> Result<P::Output, HandlerError> + 'static,
    {
        self.mock_with(P::TYPE, move |_, attempt, input| {
            let input = serde_json::from_value(input).map_err(|e| {
                let message = format!("invalid input of `{}`: {e}", P::TYPE);
                HandlerError::fatal(message).code("InputInvalid")
            })?;
            Ok(serde_json::to_value(mock(attempt, input)?)?)
        })
    }

    /// Runs operations of this type with a function from JSON to JSON; for types that no Rust type stands for.
    #[must_use]
    pub fn mock_type<F>(self, kind: &str, mut mock: F) -> Self
    where
        F: FnMut(Value) -> Result<Value, HandlerError> + 'static,
    {
        self.mock_with(kind, move |_, _, input| mock(input))
    }

    fn mock_with(
        mut self,
        kind: &str,
        mock: impl FnMut(&Step, u32, Value) -> Result<Value, HandlerError> + 'static,
    ) -> Self {
        self.mocks.insert(kind.to_owned(), Box::new(mock));
        self
    }

    /// Runs it with these inputs.
    ///
    /// # Errors
    /// The inputs do not fit the workflow. What fails in the run itself is in the report.
    pub fn run(mut self, inputs: &I) -> Result<TestReport<O>, Findings> {
        let agenda = (self.source)(inputs)?;
        let mocks = &mut self.mocks;
        let ended = drive::run(&agenda, &mut |step, attempt, input| match mocks.get_mut(&step.kind) {
            Some(mock) => mock(step, attempt, input),
            None => builtin(step, input),
        });
        Ok(TestReport::new(ended, self.single))
    }
}

/// The built-in types, as far as they need no world around them.
fn builtin(step: &Step, input: Value) -> Result<Value, HandlerError> {
    let (kind, name) = (step.kind.as_str(), step.name.as_str());
    let mut fields = match input {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    match kind {
        "pop.transform" => fields
            .remove("value")
            .ok_or_else(|| HandlerError::fatal("pop.transform: missing `value` in the input")),
        "pop.sleep" => Ok(fields.remove("output").unwrap_or_else(|| Value::Object(Map::new()))),
        "pop.log" => Ok(Value::Object(Map::new())),
        FAN_OUT_TYPE => {
            let wrong = |why: String| HandlerError::error(why).code("FanOutInvalid");
            let fan_out = step.fan_out.as_ref().ok_or_else(|| {
                wrong("missing parameter `pop.fanOut` with the operations to make".to_owned())
            })?;
            let items = fields.remove("items").unwrap_or_default();
            Ok(json!({ "operations": fan_out.make(&items).map_err(wrong)? }))
        }
        UPDATE_TYPE => Ok(Value::Object(fields)),
        _ => {
            let message =
                format!("no mock for type `{kind}` of operation `{name}`: add `.mock(|input: …| …)`");
            Err(HandlerError::config(message).code("NoMock"))
        }
    }
}
