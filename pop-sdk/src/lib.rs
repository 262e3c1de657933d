//! Write POP workflows in Rust, submit them and wait for typed results.

pub mod api;
