//! Handlers: programs that run operations. A handler is an async function from a typed input to a typed output; this module
//! makes the rest of the program of it.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use pop_sdk::handler::{Context, HandlerError, Handlers};
//! use pop_sdk::operation;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// Encodes one rung.
//! #[operation("media.encode", output = Encoded)]
//! #[derive(Deserialize, JsonSchema)]
//! pub struct Encode {
//!     source: String,
//!     height: u32,
//! }
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! pub struct Encoded {
//!     pub file: String,
//! }
//!
//! async fn encode(ctx: Context, input: Encode) -> Result<Encoded, HandlerError> {
//!     let done: u32 = ctx.last_checkpoint().unwrap_or(0); // an earlier attempt's
//!     for frame in done..250 {
//!         // … encode the frame …
//!         ctx.checkpoint(&(frame + 1))?;
//!         ctx.progress(f64::from(frame) / 2.5, format!("frame {frame}"));
//!         ctx.check_cancelled()?; // ends here when the operation is cancelled
//!     }
//!     Ok(Encoded { file: format!("{}.{}", input.source, input.height) })
//! }
//!
//! fn main() -> ExitCode {
//!     Handlers::new().operation(encode).run()
//! }
//! ```
//!
//! A program with a tokio runtime of its own calls [`run_async`](Handlers::run_async) in its `async fn main`.
//!
//! One program may hold several handlers; the first argument (or `OPERATION_TYPE`) chooses. The program answers to
//!
//! - `PROGRAM --describe`: its operation types as a catalog, so `PROGRAM --describe > ops/media.toml` gives workflow files the
//!   types that the code has. Types that do not say how they run get `command = ["PROGRAM", "TYPE"]`.
//! - `PROGRAM TYPE input.json` (or `-` for standard input): runs a handler by hand; the output goes to standard output.
//! - `PROGRAM --help`.
//!
//! # What a handler can count on
//!
//! - It may block: the thread is its own. The runtime is tokio's, with timers, network and processes.
//! - An input that does not fit its type never reaches it: the failure says where and why, and is not tried again.
//! - An error ends the operation with its [class](HandlerError); a panic with its message and place, as an error.
//! - Leaving the process without a result (`std::process::exit`) is a failure, whatever the exit code.
//! - Its standard output and error are the operation's log.

mod context;
mod contract;
mod describe;
mod execute;
mod progress;
mod report;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::operation::{Known, Operation};

pub use self::context::Context;
pub(crate) use self::contract::Reached;
pub use crate::failure::HandlerError;

/// Builds a program of handlers: one for each operation type that the program runs.
#[must_use = "call `run` to start the program"]
#[derive(Debug, Default)]
pub struct Handlers {
    all: Vec<Handler>,
}

/// The output as JSON text, once it is there.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result<Vec<u8>, HandlerError>>>>;

/// Starts the work on an input in JSON.
type Start = Box<dyn Fn(Context, &[u8]) -> Result<Work, HandlerError>>;

/// One handler, whatever its types.
pub(crate) struct Handler {
    pub(crate) known: Known,
    pub(crate) start: Start,
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handler").field("type", &self.known.name()).finish_non_exhaustive()
    }
}

impl Handler {
    pub(crate) fn new<I, F, R>(handler: F) -> Self
    where
        I: Operation + DeserializeOwned,
        I::Output: Serialize,
        F: Fn(Context, I) -> R + 'static,
        R: Future<Output = Result<I::Output, HandlerError>> + 'static,
    {
        let start = move |context: Context, input: &[u8]| -> Result<Work, HandlerError> {
            let work = handler(context, read::<I>(input)?);
            Ok(Box::pin(async move {
                serde_json::to_vec(&work.await?)
                    .map_err(|e| HandlerError::fatal(e).context("could not serialize the output as JSON"))
            }))
        };
        Self { known: Known::of::<I>(), start: Box::new(start) }
    }
}

/// The input as its type has it.
///
/// # Errors
/// Where and why it does not fit.
fn read<I: Operation + DeserializeOwned>(input: &[u8]) -> Result<I, HandlerError> {
    let mut json = serde_json::Deserializer::from_slice(input);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let (path, why) = (e.path().to_string(), e.inner());
        let place = if path == "." { String::new() } else { format!(", at `{path}`") };
        format!("invalid input of `{}`{place}: {why}", I::TYPE)
    });
    let whole = |input| {
        json.end().map(|()| input).map_err(|e| format!("invalid input: expected one JSON value: {e}"))
    };
    read.and_then(whole).map_err(|why| HandlerError::fatal(why).code("InputInvalid"))
}

impl Handlers {
    /// A program without handlers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the handler of an operation type: an async function from a [`Context`] and the input to the output. A second
    /// handler of the same type replaces the first.
    pub fn operation<I, F, R>(mut self, handler: F) -> Self
    where
        I: Operation + DeserializeOwned,
        I::Output: Serialize,
        F: Fn(Context, I) -> R + 'static,
        R: Future<Output = Result<I::Output, HandlerError>> + 'static,
    {
        let handler = Handler::new(handler);
        self.all.retain(|other| other.known.name() != handler.known.name());
        self.all.push(handler);
        self
    }

    /// Runs the handler that the arguments and the environment choose, on a tokio runtime of its own. The exit code is 0 for
    /// an output, 1 for a failure, 2 for invalid usage, 101 after a panic, and 143 after a stop.
    ///
    /// Inside an async runtime call [`run_async`](Self::run_async) instead.
    #[must_use = "return the exit code from `main`"]
    pub fn run(self) -> ExitCode {
        let mut arguments = std::env::args_os();
        let own = arguments.next().unwrap_or_default();
        let arguments: Vec<_> = arguments.collect();
        ExitCode::from(execute::execute(&self.all, &own, &arguments, std::env::vars_os()))
    }

    /// As [`run`](Self::run), on the tokio runtime of the caller:
    ///
    /// ```no_run
    /// use std::process::ExitCode;
    ///
    /// use pop_sdk::handler::Handlers;
    ///
    /// #[tokio::main]
    /// async fn main() -> ExitCode {
    ///     Handlers::new().run_async().await
    /// }
    /// ```
    ///
    /// The runtime needs timers and I/O (`enable_all`). Choose the multi-thread runtime for a handler that blocks: progress
    /// and signals need a thread meanwhile.
    pub async fn run_async(self) -> ExitCode {
        let mut arguments = std::env::args_os();
        let own = arguments.next().unwrap_or_default();
        let arguments: Vec<_> = arguments.collect();
        ExitCode::from(execute::execute_async(&self.all, &own, &arguments, std::env::vars_os()).await)
    }

    /// The catalog that `--describe` prints for a program of this name.
    pub fn describe(&self, program: &str) -> String {
        describe::catalog(&self.all.iter().map(|h| &h.known).collect::<Vec<_>>(), program)
    }
}
