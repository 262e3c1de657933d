//! One line for a transition, and the signs and lengths that all output shares.

use jiff::Timestamp;
use pop_sdk::api::{Again, OperationState, OperationView};

use super::safe::one_line;

/// One line for an operation's new state; none for a state without news for a reader.
pub fn line(view: &OperationView, since: Timestamp, now: Timestamp) -> Option<String> {
    let said =
        |m: &Option<pop_sdk::api::Failure>| m.as_ref().map(|f| one_line(&f.message)).unwrap_or_default();
    let text = match view.state {
        OperationState::Ready if view.failure.is_some() => {
            format!("attempt {} failed, retrying: {}", view.attempt, said(&view.failure))
        }
        OperationState::Waiting | OperationState::Ready | OperationState::Launching => return None,
        OperationState::Executing if view.attempt > 1 => format!("started (attempt {})", view.attempt),
        OperationState::Executing => "started".to_owned(),
        OperationState::Succeeded => match (view.started_at, view.ended_at) {
            (Some(start), Some(end)) => format!("succeeded in {}", length(start, end)),
            _ => "succeeded".to_owned(),
        },
        OperationState::Failed => {
            let mut text = format!("failed: {}", said(&view.failure));
            for line in view.failure.iter().flat_map(|f| &f.log_tail) {
                text += &format!("\n             | {}", one_line(line));
            }
            text
        }
        OperationState::Skipped if view.failure.is_none() => match &view.message {
            Some(reason) => format!("skipped: {}", one_line(reason)),
            None => "skipped".to_owned(),
        },
        OperationState::Skipped => format!("skipped: {}", said(&view.failure)),
        OperationState::Cancelled => "cancelled".to_owned(),
        state => state.as_str().to_owned(),
    };
    Some(format!("[{:>8}] {} {}  {text}", length(since, now), mark(view.state), one_line(&view.name)))
}

/// One line for operations that a generator added.
pub fn added_line(generator: &str, count: usize, since: Timestamp, now: Timestamp) -> String {
    let noun = if count == 1 { "operation" } else { "operations" };
    format!("[{:>8}] + {}  added {count} {noun}", length(since, now), one_line(generator))
}

/// One line for the rerun of an agenda.
pub fn rerun_line(again: &Again, since: Timestamp, now: Timestamp) -> String {
    let mut text = format!("[{:>8}] ↺ rerun  {} operations reset", length(since, now), again.reset.len());
    if !again.removed.is_empty() {
        text += &format!(", {} generated operations removed", again.removed.len());
    }
    text
}

pub(super) fn mark(state: OperationState) -> &'static str {
    match state {
        OperationState::Waiting => "·",
        OperationState::Ready | OperationState::Launching => "○",
        OperationState::Executing => "▶",
        OperationState::Succeeded => "✓",
        OperationState::Failed => "✗",
        OperationState::Skipped => "↷",
        OperationState::Cancelled => "■",
        _ => "?",
    }
}

/// The time between two moments, for people.
pub(super) fn length(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs_f64().max(0.0);
    if seconds < 60.0 {
        return format!("{seconds:.1}s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds since a start, not negative"
    )]
    let whole = seconds as u64;
    if whole < 3600 {
        format!("{}m{:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h{:02}m", whole / 3600, whole / 60 % 60)
    }
}
