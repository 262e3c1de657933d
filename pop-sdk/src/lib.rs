//! Write POP workflows in Rust, submit them and wait for typed results.

pub mod api;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
mod sse;
