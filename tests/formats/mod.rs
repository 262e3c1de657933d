//! Writes one workflow in several formats. Shared by the tests of several crates.

pub mod dice;
pub mod generate;
pub mod toml;

pub use toml::shuffled;
