//! The POP workflow language and the Agenda data model.
//!
//! One checker serves every format (TOML, JSON, the Rust macro) and the server's submit endpoint. The crate does no
//! I/O, reads no clock and draws no random number; the same input always gives the same bytes.
//!
//! [`compile`] takes a workflow's text through the whole pipeline.
//!
//! The modules stand on floors: each imports from its own floor and from those before it, and no two import each other
//! in a circle. `tests/layering.rs` has the table.

// Text: files, findings, and the tree of either syntax.
mod budget;
pub mod canonical;
pub mod diagnostic;
pub mod duration;
pub mod quantity;
pub mod source;
pub mod suggest;
mod syntax;
mod tree;
mod units;

// Agenda: what the server runs, and the types and values in it.
pub mod agenda;
pub mod generator;
pub mod graph;
pub mod reference;
pub mod retry;
pub mod template;
pub mod types;
pub mod values;

// Language: a workflow as it is written, and with its names bound.
mod ast;
pub mod catalog;
mod coerce;
mod expr;
mod model;

// Rules: what can be wrong, and the words for it.
pub mod rules;

// Passes: from a tree to a template, and from findings to fixes.
mod check;
mod decode;
pub mod fix;
mod lower;
mod resolve;
pub mod severities;
pub mod validate;

// Compile: the passes in their order.
mod compile;

// Tools: what is made of a workflow, an agenda or findings.
pub mod client;
pub mod diff;
pub mod fmt;
pub mod import;
pub mod language_schema;
pub mod render;
pub mod source_map;

// Command line.
#[cfg(feature = "cli")]
pub mod cli;

pub use compile::{
    Analysis, Compiled, LoadedCatalog, Options, Symbol, SymbolKind, SymbolTarget, analyze, check_native,
    compile, data, is_native, load_catalog, load_catalog_with, place_in_data,
};
pub use expr::write_name;
pub use rules::untyped_edge::Coverage;
pub use severities::Severities;
pub use source::Format;
