//! One workflow in several ways of writing it. Shared by the tests of several crates.

pub mod dice;
pub mod generate;
pub mod toml;

pub use toml::shuffled;
