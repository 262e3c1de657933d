//! The POP workflow language and the Agenda data model.
//!
//! One checker serves every door: TOML, JSON, the Rust macro and the server's submit endpoint. The crate does no
//! I/O, reads no clock and draws no random number; the same input always gives the same bytes.

pub mod agenda;
pub mod canonical;
pub mod diagnostic;
pub mod duration;
pub mod graph;
pub mod import;
pub mod quantity;
pub mod reference;
pub mod retry;
pub mod source;
pub mod suggest;
pub mod template;
pub mod validate;
