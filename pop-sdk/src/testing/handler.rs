//! Handlers in tests: inside a test run, and by themselves.

use std::collections::HashMap;
use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::TestRun;
use crate::handler::{Context, Handler, Reached};
use crate::{HandlerError, Operation};

impl<I, O> TestRun<I, O> {
    /// Runs operations of a type with its real [handler](crate::handler), in this process. An attempt gets the
    /// checkpoint of the one before. Not for use inside an async runtime.
    #[must_use]
    pub fn handle<P, F, R>(self, handler: F) -> Self
    where
        P: Operation + DeserializeOwned,
        P::Output: Serialize,
        F: Fn(Context, P) -> R + 'static,
        R: Future<Output = Result<P::Output, HandlerError>> + 'static,
    {
        let handler = Handler::new(handler);
        let mut reached: HashMap<String, Reached> = HashMap::new();
        self.mock_with(P::TYPE, move |operation, attempt, input| {
            let context = Context::detached(&operation.name, attempt, reached.remove(&operation.name));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let work = (handler.start)(context.clone(), input.to_string().as_bytes())?;
            let output = runtime.block_on(work);
            reached.insert(operation.name.clone(), context.reached());
            Ok(serde_json::from_slice(&output?)?)
        })
    }
}

/// A [`Context`] without a pool, to call a handler by itself.
///
/// ```
/// use pop_sdk::handler::{Context, HandlerError};
/// use pop_sdk::testing::TestContext;
///
/// async fn count(ctx: Context, to: u32) -> Result<u32, HandlerError> {
///     for i in ctx.last_checkpoint().unwrap_or(0)..to {
///         ctx.checkpoint(&i)?;
///         ctx.progress(i, "counting");
///         ctx.check_cancelled()?;
///     }
///     Ok(to)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let test = TestContext::new();
/// assert_eq!(count(test.context(), 3).await.unwrap(), 3);
/// assert_eq!((test.percent(), test.checkpoint()), (2.0, Some(2)));
///
/// let test = TestContext::new().with_last_checkpoint(&7);
/// test.cancel();
/// assert!(count(test.context(), 9).await.is_err());
/// assert_eq!(test.checkpoint(), Some(7));
/// # });
/// ```
#[derive(Debug)]
pub struct TestContext {
    context: Context,
}

impl Default for TestContext {
    fn default() -> Self {
        Self::new()
    }
}

impl TestContext {
    /// The context of a first attempt.
    pub fn new() -> Self {
        Self { context: Context::detached("operation", 1, None) }
    }

    /// The context of a second attempt, with the checkpoint of the first.
    ///
    /// # Panics
    /// JSON cannot represent the state.
    #[must_use]
    pub fn with_last_checkpoint<T: Serialize>(self, state: &T) -> Self {
        let saved = serde_json::to_value(state).expect("the state can be written as JSON");
        let last = Reached { saved: Some(saved), ..Reached::default() };
        Self { context: Context::detached("operation", 2, Some(last)) }
    }

    /// The handler's argument.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Cancels the operation, as a pool does.
    pub fn cancel(&self) {
        self.context.stop();
    }

    /// The percentage that the handler last reported.
    pub fn percent(&self) -> f64 {
        self.context.reached().percent
    }

    /// The message that the handler last reported.
    pub fn message(&self) -> Option<String> {
        self.context.reached().message
    }

    /// The handler's last checkpoint. None without a checkpoint, and for a checkpoint that is not a `T`.
    pub fn checkpoint<T: DeserializeOwned>(&self) -> Option<T> {
        let saved: Value = self.context.reached().saved?;
        serde_json::from_value(saved).ok()
    }
}
