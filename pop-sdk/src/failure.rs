//! Why a handler (or the mock of one) failed.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::{Failure, FailureClass};

/// The failure of a handler: a class, a code for programs, and a message for people.
///
/// Every `std::error::Error` converts into a retryable one, so `?` works. As with `anyhow::Error`, this type therefore does
/// not implement `std::error::Error` itself.
///
/// | made by | class | tried again |
/// | --- | --- | --- |
/// | [`error`](Self::error), `?` | `user` | as `retry` of the operation says (`on = ["error"]`) |
/// | [`fatal`](Self::fatal) | `user-fatal` | never |
/// | [`config`](Self::config) | `config` | only when `retry.on` has `"config"` |
/// | [`infra`](Self::infra) | `infra` | on the pool's own budget, without using up `retry` |
/// | [`resource`](Self::resource) | `user-resource` | as an error |
///
/// ```
/// use pop_sdk::HandlerError;
///
/// fn rungs(text: &str) -> Result<u32, HandlerError> {
///     let count: u32 = text.parse()?; // an error: may be tried again
///     if count == 0 {
///         return Err(HandlerError::fatal("a ladder needs a rung").code("NoRungs"));
///     }
///     Ok(count)
/// }
/// assert_eq!(rungs("x").unwrap_err().to_string(), "invalid digit found in string");
/// assert_eq!(rungs("0").unwrap_err().failure().code, "NoRungs");
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct HandlerError {
    pub(crate) class: FailureClass,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl HandlerError {
    fn new(class: FailureClass, code: &str, message: impl fmt::Display) -> Self {
        Self { class, code: code.to_owned(), message: message.to_string() }
    }

    /// An error that another attempt may avoid.
    pub fn error(message: impl fmt::Display) -> Self {
        Self::new(FailureClass::User, "Failed", message)
    }

    /// An error that another attempt would repeat, such as a missing source or a broken file.
    pub fn fatal(message: impl fmt::Display) -> Self {
        Self::new(FailureClass::UserFatal, "Failed", message)
    }

    /// A credential, a program or a setting is missing where the handler runs.
    pub fn config(message: impl fmt::Display) -> Self {
        Self::new(FailureClass::Config, "Misconfigured", message)
    }

    /// The machine or the network failed, not the work.
    pub fn infra(message: impl fmt::Display) -> Self {
        Self::new(FailureClass::Infra, "Unavailable", message)
    }

    /// The operation has less memory, disk or time than it needs.
    pub fn resource(message: impl fmt::Display) -> Self {
        Self::new(FailureClass::UserResource, "TooLittle", message)
    }

    /// The handler stopped by request.
    pub fn cancelled() -> Self {
        Self::new(FailureClass::User, "Cancelled", "stopped by request")
    }

    /// Sets the code: one word for programs, such as `SourceMissing`.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// Puts the failed activity in front of the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// As the server reports it.
    pub fn failure(&self) -> Failure {
        Failure {
            class: self.class,
            code: self.code.clone(),
            message: self.message.clone(),
            operation: None,
            exit_code: None,
            signal: None,
            log_tail: Box::default(),
            mismatch: None,
        }
    }
}

impl<E: Error> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Some errors repeat their cause.
            if !message.ends_with(&text) {
                message = format!("{message}: {text}");
            }
            source = cause.source();
        }
        Self::error(message)
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = serde_json::to_value(self.class).unwrap_or_default();
        write!(f, "{} ({}, {})", self.message, class.as_str().unwrap_or_default(), self.code)
    }
}
