//! The failures that a run itself has to tell of, and how long it waits after one.

use std::time::Duration;

use crate::api::{Failure, FailureClass};

use super::Step;

/// A failure with nothing but the essentials.
pub fn fail(class: FailureClass, code: &str, message: impl Into<String>) -> Failure {
    Failure {
        class,
        code: code.to_owned(),
        message: message.into(),
        operation: None,
        exit_code: None,
        signal: None,
        log_tail: Vec::new(),
    }
}

pub(super) fn dependency_failure(message: &str) -> Failure {
    fail(FailureClass::User, "DependencyFailed", message)
}

pub(super) fn unknown_failure(name: &str) -> Failure {
    fail(FailureClass::Platform, "Unknown", format!("operation `{name}` failed under an earlier lease"))
}

pub(super) fn timeout_failure(step: &Step, seen: Failure) -> Failure {
    let limit = step.timeout.map(pop_compiler::duration::print).unwrap_or_default();
    Failure {
        class: FailureClass::UserTimeout,
        code: "Timeout".into(),
        message: format!(
            "ran longer than its timeout of {limit} and was stopped; raise `timeout` if that is too short"
        ),
        ..seen
    }
}

/// Exponential backoff between the two bounds, with a jitter of up to a quarter that depends only on what is retried,
/// so that a replay of the same events gives the same times.
pub(super) fn backoff_delay(
    (min, max): (Duration, Duration),
    count: u32,
    agenda: &str,
    op: usize,
) -> Duration {
    use std::hash::{Hash, Hasher};
    let base =
        min.saturating_mul(1u32.checked_shl(count.saturating_sub(1).min(31)).unwrap_or(u32::MAX)).min(max);
    let mut hasher = std::hash::DefaultHasher::new();
    (agenda, op, count).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 1000).unwrap_or(0);
    (base + base / 4 * share / 1000).min(max.max(min))
}
