//! The command line program `pop`.
fn main() {}
