//! The whole system: real processes, real files, a real server. Few tests, each for a promise that no smaller one can
//! keep. Tests that need the recorded data read `POP_DATA` and say so when they skip.

mod clients;
mod crash;
mod databases;
mod diagnostics;
mod examples;
mod faults;
mod guard;
mod help;
mod programs;
mod recorded;
mod results;
mod server;
mod support;
