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
//! # Operations
//!
//! `#[operation("name", output = Type, …)]` goes on the struct of an operation's input. The struct stays as it is; it and the
//! output derive `schemars::JsonSchema`. `command`, `stdin`, `stdout` (`log`, `json`, `text`, `lines`), `image`, `args`,
//! `kubernetes`, `secrets` and `idempotent` say how the operation runs, and travel with the agenda; without `command` and
//! `image` the pool has to know the type. In a command
//! `${with.NAME}` is an input by its JSON name.
//!
//! # Workflows
//!
//! ```
//! # use pop_sdk::{operation, workflow};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! # #[operation("media.probe", output = Probed)]
//! # #[derive(JsonSchema)]
//! # pub struct Probe { url: String }
//! # #[derive(JsonSchema)]
//! # pub struct Probed { duration: f64, title: String, has_video: bool }
//! # #[operation("media.encode", output = Encoded)]
//! # #[derive(JsonSchema)]
//! # pub struct Encode { source: String, height: u32, duration: f64 }
//! # #[derive(JsonSchema)]
//! # pub struct Encoded { file: String }
//! # #[operation("media.package", output = Packaged)]
//! # #[derive(JsonSchema)]
//! # pub struct Package { renditions: Vec<String>, title: String }
//! # #[derive(JsonSchema)]
//! # pub struct Packaged { manifest: String }
//! /// What comes out: each field is an output of the workflow.
//! #[derive(Deserialize)]
//! pub struct Published {
//!     pub manifest: Option<String>, // absent when `package` is skipped
//!     pub duration: f64,
//! }
//!
//! #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
//! pub struct Rung {
//!     pub height: u32,
//! }
//!
//! workflow! {
//!     /// Probe a mezzanine, encode every rung, package.
//!     #[workflow(name = "abr-ladder", version = "2.1.0")]
//!     pub abr_ladder(
//!         /// The mezzanine.
//!         source: String,
//!         ladder: Vec<Rung> = [Rung { height: 720 }, Rung { height: 1080 }],
//!     ) -> Published {
//!         let probe = Probe { url: source };
//!         /// One rung.
//!         let encode = for rung in ladder {
//!             Encode { source, height: rung.height, duration: probe.duration }
//!         } with {
//!             retry: { attempts: 3, backoff: "10s..5m", on: ["error", "timeout"] },
//!             timeout: "2h",
//!             resources: { cpu: "4", memory: "8Gi" },
//!         };
//!         let package = Package { renditions: encode[*].file, title: "Ladder of {probe.title}" }
//!             when probe.has_video
//!             after [encode];
//!         Published { manifest: Some(package.manifest), duration: probe.duration }
//!     }
//! }
//!
//! # fn main() {
//! assert_eq!(abr_ladder::compile().template().agenda.operations.len(), 3);
//! # }
//! ```
//!
//! - `let` names an operation; `for … in` fans it out over a list. `encode[*].file` is the list of all, `encode[0].file` one.
//! - A value is a literal, a list, a struct, `Some(…)`, `None`, an input, or a field of an output. There are no computations:
//!   work is what operations do.
//! - A text may hold references in braces; `{{` and `}}` are the braces themselves. A text that is nothing but a reference is
//!   what the reference is, so `"{rung.height}"` is a number.
//! - `with` holds settings, `when` a condition, `after` operations that must end first; they stand behind the operation.
//! - The last line is the result: a value (its output is named after its last field, or `result`), or a struct whose fields
//!   are the outputs. An output of a skipped operation is null, so its type should be an `Option`.
//! - `probe.title.unwrap_or("untitled")` is what stands in for a value that is null or whose operation was skipped, and
//!   `probe.title.ok()` is null then. `labels["key"]` is what a key of a map leads to: an `Option`.
//! - `for (i, rung) in ladder.iter().enumerate()` has the index of each item; `run.id` and `run.customer` are those of the run.
//! - `BTreeMap::from([("key", value)])` is a map, `json!({ "key": value })` any JSON. `..` leaves out the fields that may be
//!   left out. A [`Secret`] goes only where one is asked for.
//! - Another workflow stands as an operation by its inputs: `let qc = quality::Inputs { file: source, .. };`.
//! - `#[name = "NF.STEP"]` before a `let` is an operation's name when that is no identifier.
//! - `-> Type with { priority: 3, link: "asset-{asset}" }` says how a run is treated.
//! - `Mode::Fast` is a variant without fields, or a constant, as serde writes it.
//! - Fields have their JSON names in the agenda: those of inputs as serde renames them, those of outputs and nested types as
//!   far as `rename_all` does it. With [`record`](macro@record) above its derive a struct's `rename` counts too.
//!
//! The workflow is a module with `compile()`, `try_compile()`, `SOURCE` (its JSON form), `Inputs`, `Outputs` and `Client`. It
//! belongs at the level of a module, not inside a function.
//!
//! [`Workflow`] has the JSON Schemas of inputs and outputs and, for each operation, the place in Rust where it was written;
//! findings name it. [`include_workflow!`] makes the same module of a file of the workflow language, and [`builder`] makes
//! workflows while a program runs.
//!
//! With the feature `client` (on by default) [`client`] submits agendas and workflows, and waits for typed results. With the
//! feature `handler` the module of that name makes programs that run operations. [`testing`] runs workflows in a test.

#[cfg(test)]
extern crate self as pop_sdk; // the macros' expansions say `::pop_sdk`

pub mod api;
mod failure;
mod findings;
mod places;
mod secret;
#[cfg(feature = "client")]
mod sse;
pub mod values;

pub mod run;

mod operation;

pub mod builtin;
mod definition;
pub mod handle;
mod names;

#[cfg(feature = "client")]
pub mod client;

pub mod builder;
mod workflow;

#[cfg(feature = "handler")]
pub mod handler;

pub mod testing;

pub use pop_compiler::agenda;
#[cfg(feature = "macros")]
pub use pop_macros::{include_workflow, operation, record, workflow};

pub use self::failure::HandlerError;
pub use self::findings::Findings;
pub use self::operation::Operation;
pub use self::places::Place;
pub use self::secret::Secret;
pub use self::workflow::{Compiled, Workflow};
#[cfg(feature = "client")]
pub use self::workflow::{TypedClient, TypedRun};

/// What the macros' expansions use; not for people.
#[doc(hidden)]
pub mod __private {
    pub use pop_compiler::agenda::{RunSpec, Stdout};
    pub use schemars;
    pub use serde;
    pub use serde_json;

    pub use crate::definition::{Callable, Callee, Definition, InFiles, InRust, ResultFields};
    pub use crate::names::{Fields, Unnamed, constant, fields};
    pub use crate::operation::{Record, setting};
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
