//! The POP workflow language and the Agenda data model.
//!
//! One checker serves every door: TOML, JSON, the Rust macro and the server's submit endpoint. The crate does no
//! I/O, reads no clock and draws no random number; the same input always gives the same bytes.
//!
//! [`compile`] takes a workflow's text through the whole pipeline.

pub mod agenda;
mod ast;
pub mod canonical;
pub mod catalog;
mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod client;
mod coerce;
mod compile;
mod decode;
pub mod diagnostic;
pub mod diff;
pub mod duration;
mod expr;
pub mod fix;
pub mod fmt;
pub mod generator;
pub mod graph;
pub mod import;
pub mod language_schema;
mod limit;
mod lower;
mod model;
pub mod quantity;
pub mod reference;
pub mod render;
mod resolve;
pub mod retry;
pub mod rules;
pub mod severities;
pub mod source;
pub mod source_map;
pub mod suggest;
mod syntax;
pub mod template;
mod tree;
pub mod types;
mod units;
pub mod validate;
pub mod values;

pub use compile::{
    Compiled, LoadedCatalog, Options, check_native, compile, data, is_native, load_catalog,
    load_catalog_with, place_in_data,
};
pub use expr::write_name;
pub use rules::untyped_edge::Coverage;
pub use severities::Severities;
pub use source::Door;
