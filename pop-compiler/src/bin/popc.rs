//! The command line program `popc`.
fn main() {}
