//! POP workflows in Rust. Use it through `pop-sdk`, which documents it.
//!
//! Both macros are functions from tokens to tokens. They make the JSON form of a workflow and ordinary Rust; what is
//! right and wrong is decided by `pop-compiler` and by rustc.

mod fields;
mod findings;

mod module;

mod operation;
mod record;

mod include;
mod workflow;

use proc_macro::TokenStream;

/// Makes a struct the input of an operation type.
///
/// `#[operation("media.probe", output = Probed, command = ["probe", "${with.url}"], stdout = "json")]` on a struct with named
/// fields implements `pop_sdk::Operation` for it; the struct itself stays as it is. It must derive
/// `schemars::JsonSchema`. Besides `output` there are `command`, `stdin`, `stdout` (`log`, `json`, `text`, `lines`), `image`,
/// `args`, `kubernetes = { gpu: 1, … }`, `secrets = { TOKEN: "secret/key" }`, `idempotent = true` and `description` (the
/// struct's doc comment otherwise). serde's `rename` and `rename_all` are honoured.
#[proc_macro_attribute]
pub fn operation(attribute: TokenStream, item: TokenStream) -> TokenStream {
    operation::expand(attribute.into(), item.into()).into()
}

/// Lets `workflow!` know what JSON calls each field of a struct.
///
/// `rename_all` is seen without it. A field that serde renames by itself, as with `#[serde(rename = "type")] kind: String`, is
/// known by its Rust name only where `#[record]` stands above the struct's `#[derive(…)]`: on what an operation gives, on what
/// is inside that or inside an operation's input, and on a workflow's result.
#[proc_macro_attribute]
pub fn record(attribute: TokenStream, item: TokenStream) -> TokenStream {
    record::expand(attribute.into(), item.into()).into()
}

/// Defines a workflow.
///
/// ```text
/// workflow! {
///     /// What it does.
///     #[workflow(name = "abr-ladder", version = "2.1.0")]
///     pub abr_ladder(source: Url, ladder: Vec<Rung>, bitrate: u32 = 3_000_000) -> Manifest {
///         let probe = Probe { url: source };
///         let encode = for rung in ladder {
///             Encode { source, height: rung.height, duration: probe.duration }
///         } with { retry: { attempts: 3, backoff: "10s..5m" }, timeout: "2h", resources: { cpu: "4", memory: "8Gi" } };
///         let package = Package { renditions: encode[*].file, title: "Ladder of {probe.title}" }
///             when probe.has_video
///             after [encode];
///         package.manifest
///     }
/// }
/// ```
///
/// It becomes a module with `compile()`, `SOURCE` (the JSON form), `Inputs`, `Outputs` and `Client`. The last line is the
/// result: one value, or a struct literal whose fields become the workflow's outputs.
#[proc_macro]
pub fn workflow(item: TokenStream) -> TokenStream {
    workflow::expand(item.into()).into()
}

/// Includes a workflow that is written in the workflow language: `include_workflow!("flows/abr-ladder.pop.toml")`.
///
/// The path is relative to the package's `Cargo.toml` or, when nothing is there, to the Rust file. It becomes the same module as with [`workflow!`],
/// named after the workflow (`abr_ladder`), or as it is said: `include_workflow!("flow.pop.toml" as ladder)`. `Inputs`,
/// `Outputs` and the types in them are made from the workflow's types.
///
/// The compiler's findings are errors of the build, each with its file, line and column; its warnings are warnings. A
/// change of the file, of a file that it names, or of the `pop.toml` that says how bad findings are, builds again. A `pop.toml`
/// that is new or nearer than the one before is seen when something else is built again: rustc can't watch for it.
#[proc_macro]
pub fn include_workflow(item: TokenStream) -> TokenStream {
    include::expand(item.into()).into()
}
