//! The whole system with pods: a real server, a real agent and a real cluster, that of `POP_TEST_KUBECONFIG`. A test
//! prints a note when it skips. `tests/cluster` makes a cluster with the images; `kubectl` must be on the path.

mod customers;
mod disruptions;
mod farm;
mod handlers;
mod kills;
mod large;
mod rights;
mod secrets;
#[path = "../e2e/support.rs"]
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
mod support;
