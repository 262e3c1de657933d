//! The failures that a run itself has to tell of, and how long it waits after one.

use std::time::Duration;

use crate::api::{Failure, FailureClass, Mismatch};
use pop_compiler::agenda::Stdout;
use pop_compiler::values::{Misfit, MisfitKind};

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
        log_tail: Box::default(),
        mismatch: None,
    }
}

/// An output is not what its type declares.
pub(super) fn output_failure(step: &Step, misfit: &Misfit, nothing: bool) -> Failure {
    let kind = &step.kind;
    let log = step.spec.as_ref().is_some_and(|spec| spec.runs() && spec.stdout == Stdout::Log);
    let unlike = || format!("the output does not match its type `{kind}`: {misfit}.");
    let (code, message) = match misfit.kind {
        MisfitKind::Missing if nothing && log => (
            "OutputMissing",
            format!(
                "the program gave no output, but its type `{kind}` declares one: {misfit}. Write JSON to `$POP_OUTPUT_FILE`, or declare `stdout`."
            ),
        ),
        MisfitKind::Missing => (
            "OutputMissing",
            format!("{} Add the field to the output, or declare the field optional.", unlike()),
        ),
        MisfitKind::Extra => (
            "OutputInvalid",
            format!("{} Declare that field, or any further ones with `\"...\" = \"any\"`.", unlike()),
        ),
        MisfitKind::Wrong => {
            ("OutputInvalid", format!("{} Correct the program, or the declared `output`.", unlike()))
        }
    };
    let bare = |text: &str| text.trim_matches('`').to_owned();
    let mismatch = Mismatch {
        field: misfit.field.clone(),
        expected: bare(&misfit.expected),
        found: misfit.found.clone(),
    };
    Failure { mismatch: Some(Box::new(mismatch)), ..fail(FailureClass::User, code, message) }
}

/// Whether an attempt only gave way to work of a higher priority. It waits again, and no budget counts it.
pub(super) fn is_preemption(failure: &Failure) -> bool {
    failure.class == FailureClass::Capacity && failure.code == "Preempted"
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
            "stopped after the timeout of {limit}. Raise `timeout` if the operation needs longer"
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
    let base =
        min.saturating_mul(1u32.checked_shl(count.saturating_sub(1).min(31)).unwrap_or(u32::MAX)).min(max);
    let (op, count) = ((op as u64).to_le_bytes(), count.to_le_bytes());
    let share = u32::try_from(fnv1a(&[agenda.as_bytes(), &op, &count]) % 1000).unwrap_or(0);
    (base + base / 4 * share / 1000).min(max.max(min))
}

/// FNV-1a, 64 bits: the same on every machine and with every version of the compiler, which the standard library's hasher
/// does not promise.
fn fnv1a(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_the_same_everywhere() {
        assert_eq!(fnv1a(&[b"foo", b"bar"]), 0x8594_4171_f739_67e8, "the published value for `foobar`");
        let bounds = (Duration::from_secs(10), Duration::from_mins(5));
        let delays = [1, 2, 9].map(|count| backoff_delay(bounds, count, "ag_1", 0).as_millis());
        assert_eq!(delays, [10_140, 22_935, 300_000]);
    }
}
