//! The whole system: real processes, real files, a real server. Each test is for a promise that no smaller test can
//! keep. Tests with recorded data read `POP_DATA`, and print a note when they skip.

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
