//! Write POP workflows in Rust, submit them and wait for typed results.
//!
//! An operation is a struct of its input; a workflow is ordinary code, checked while cargo builds:
//!
//! ```
//! use pop_sdk::{operation, workflow};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// Counts the lines of a file.
//! #[operation("text.count", output = Counted, command = ["wc", "-l", "${with.file}"], stdout = "text")]
//! #[derive(Serialize, JsonSchema)]
//! pub struct Count {
//!     file: String,
//! }
//!
//! #[derive(Deserialize, JsonSchema)]
//! pub struct Counted {
//!     pub text: String,
//! }
//!
//! workflow! {
//!     /// Count the lines of some files.
//!     pub count_lines(files: Vec<String>) -> Vec<String> {
//!         let count = for file in files {
//!             Count { file }
//!         } with { retry: 3, timeout: "1m" };
//!         count[*].text
//!     }
//! }
//!
//! fn main() -> Result<(), pop_sdk::Findings> {
//!     let workflow = count_lines::compile();
//!     let agenda = workflow.agenda(&count_lines::Inputs { files: vec!["a".into(), "b".into()] })?;
//!     assert_eq!(agenda.operations.len(), 2);
//!     Ok(())
//! }
//! ```
//!
//! With the feature `client` (on by default) `count_lines::Client::connect(url)?.submit(inputs).await?` hands it to a
//! server, and `wait().await` on what that gives is the typed result.

pub mod api;
#[cfg(feature = "client")]
pub mod client;
pub mod handle;
mod operation;
#[cfg(feature = "client")]
mod sse;
mod workflow;

pub use pop_compiler::agenda;
pub use pop_macros::{operation, workflow};

pub use self::operation::{Known, Operation};
#[cfg(feature = "client")]
pub use self::workflow::{Compiled, Definition, Findings, Workflow};
#[cfg(feature = "client")]
pub use self::workflow::{TypedClient, TypedRun};

/// What the macros' expansions use; not for people.
#[doc(hidden)]
pub mod __private {
    pub use pop_compiler::agenda::{RunSpec, Stdout};
    pub use schemars;
    pub use serde;
    pub use serde_json;
}

/// The client of a workflow, when the client is there at all.
#[cfg(feature = "client")]
#[doc(hidden)]
#[macro_export]
macro_rules! __client {
    ($flow:ident) => {
        /// A client of this workflow.
        pub type Client = $crate::TypedClient<$flow>;
    };
}

/// The client of a workflow, when the client is there at all.
#[cfg(not(feature = "client"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __client {
    ($flow:ident) => {};
}
