//! One operation in memory, and the effect of reports on it. Outputs live in the store only.

use std::sync::Arc;

use super::record::{OperationRow, OperationState, OperationUpdate, Percent};
use crate::ids::AgendaNo;

/// An operation of a live agenda.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    pub(super) name: Box<str>,
    pub(super) kind: Arc<str>,
    /// The operation's index in the submitted agenda; generated operations follow.
    pub(super) position: u32,
    pub(super) state: OperationState,
    /// Whether the operation waits for a retry: a `ready` that follows `executing`.
    pub(super) retrying: bool,
    pub(super) attempt: u32,
    pub(super) failures: u32,
    pub(super) percent: Percent,
    pub(super) message: Option<Box<str>>,
}

impl Operation {
    pub(super) fn new(name: &str, kind: Arc<str>, position: u32) -> Self {
        Self {
            name: name.into(),
            kind,
            position,
            state: OperationState::Waiting,
            retrying: false,
            attempt: 0,
            failures: 0,
            percent: Percent::default(),
            message: None,
        }
    }

    pub(super) fn restore(&mut self, row: &OperationRow) {
        self.state = row.state;
        self.retrying = row.retrying;
        self.attempt = row.attempt;
        self.failures = row.failures;
        self.percent = row.percent;
        self.message = if row.state.is_terminal() { None } else { row.message.as_deref().map(Into::into) };
    }

    /// Order of the states within one attempt.
    fn rank(state: OperationState, retrying: bool) -> u8 {
        match state {
            OperationState::Waiting => 0,
            OperationState::Ready if retrying => 4,
            OperationState::Ready => 1,
            OperationState::Launching => 2,
            OperationState::Executing => 3,
            state if state.is_terminal() => 5,
            _ => 0,
        }
    }

    /// The operation's part of the agenda's percent, in hundredths.
    pub(super) fn weight(&self) -> u64 {
        if self.state.is_terminal() { Percent::FULL.hundredths() } else { self.percent.hundredths() }
    }

    /// Applies a report. `false` if the report is outdated or changes nothing.
    ///
    /// An end is final, attempt numbers only go up, and neither the state nor the percent goes back within an attempt.
    pub(super) fn report(&mut self, update: &OperationUpdate) -> bool {
        if self.state.is_terminal() || update.attempt < self.attempt {
            return false;
        }
        let newer = update.attempt > self.attempt;
        // `ready` for an attempt that was launched announces a retry.
        let retrying = update.state == OperationState::Ready && update.attempt > 0;
        let (old, new) = (Self::rank(self.state, self.retrying), Self::rank(update.state, retrying));
        if !newer && new < old {
            return false;
        }
        let percent = match update.state {
            OperationState::Succeeded => Percent::FULL,
            OperationState::Launching | OperationState::Executing => update.percent,
            state if state.is_terminal() => update.percent,
            _ => Percent::default(),
        };
        if !newer && new == old {
            let silent = percent == self.percent && update.message.as_deref() == self.message.as_deref();
            if silent || percent < self.percent {
                return false;
            }
        }
        self.state = update.state;
        self.retrying = retrying;
        self.attempt = update.attempt;
        self.failures = self.failures.max(update.failures);
        self.percent = percent;
        self.message =
            if update.state.is_terminal() { None } else { update.message.as_deref().map(Into::into) };
        true
    }

    /// Records the end of the lease: a started operation waits for its next attempt, or goes on with this one under the
    /// next lease. `false` if the operation had not started.
    pub(super) fn give_back(&mut self) -> bool {
        if !matches!(self.state, OperationState::Launching | OperationState::Executing) {
            return false;
        }
        self.state = OperationState::Ready;
        // The attempt has not ended, so a later report may tell that it runs.
        self.retrying = false;
        self.percent = Percent::default();
        self.message = None;
        true
    }

    /// Ends the operation before its own end. `false` if the operation had ended.
    pub(super) fn close(&mut self, state: OperationState) -> bool {
        if self.state.is_terminal() {
            return false;
        }
        self.state = state;
        self.retrying = false;
        self.message = None;
        true
    }

    /// The row to store; the caller fills in times, output and failure.
    pub(super) fn row(&self, agenda: AgendaNo) -> OperationRow {
        OperationRow {
            agenda,
            position: self.position,
            state: self.state,
            retrying: self.retrying,
            attempt: self.attempt,
            failures: self.failures,
            percent: self.percent,
            message: self.message.as_deref().map(Into::into),
            started_at: None,
            ended_at: None,
            output: None,
            failure: None,
            ledger: None,
        }
    }

    /// The operation as an event shows it; the caller fills in times and failure.
    pub(super) fn update(&self) -> OperationUpdate {
        OperationUpdate {
            name: self.name.as_ref().into(),
            kind: self.kind.as_ref().into(),
            state: self.state,
            attempt: self.attempt,
            failures: self.failures,
            percent: self.percent,
            message: self.message.as_deref().map(Into::into),
            ..OperationUpdate::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OperationState::{Executing, Failed, Launching, Ready, Succeeded, Waiting};

    fn view(state: OperationState, attempt: u32, percent: f64) -> OperationUpdate {
        OperationUpdate { state, attempt, percent: Percent::new(percent), ..OperationUpdate::default() }
    }

    fn operation(reports: &[OperationUpdate]) -> Operation {
        let mut operation = Operation::new("a", "t".into(), 0);
        for report in reports {
            operation.report(report);
        }
        operation
    }

    #[test]
    fn an_end_is_final() {
        let mut done = operation(&[view(Executing, 1, 0.0), view(Succeeded, 1, 0.0)]);
        assert!(!done.report(&view(Executing, 1, 50.0)));
        assert!(!done.report(&view(Failed, 2, 50.0)));
        assert_eq!((done.state, done.percent), (Succeeded, Percent::FULL));
    }

    #[test]
    fn attempts_only_go_up() {
        let mut second = operation(&[view(Executing, 2, 10.0)]);
        assert!(!second.report(&view(Failed, 1, 0.0)));
        assert!(!second.report(&view(Launching, 2, 0.0)));
        assert_eq!((second.state, second.attempt), (Executing, 2));
    }

    #[test]
    fn a_retry_goes_through_ready() {
        let mut retried = operation(&[view(Ready, 0, 0.0), view(Executing, 1, 40.0)]);
        assert!(retried.report(&view(Ready, 1, 0.0)));
        assert!(!retried.report(&view(Executing, 1, 60.0)));
        assert!(retried.report(&view(Launching, 2, 0.0)));
        assert_eq!((retried.state, retried.attempt), (Launching, 2));
    }

    #[test]
    fn a_repetition_says_nothing_new() {
        let mut running = operation(&[view(Executing, 1, 40.0)]);
        assert!(!running.report(&view(Executing, 1, 40.0)));
        assert!(!running.report(&view(Executing, 1, 30.0)));
        assert!(running.report(&view(Executing, 1, 41.0)));
    }

    #[test]
    fn what_ran_is_given_back() {
        let mut running = operation(&[view(Executing, 1, 40.0)]);
        assert!(running.give_back());
        assert_eq!((running.state, running.attempt, running.percent), (Ready, 1, Percent::default()));
        let mut adopted = running.clone();
        assert!(adopted.report(&view(Executing, 1, 50.0)), "it goes on under the next lease");
        assert!(running.report(&view(Launching, 2, 0.0)), "or it is lost");
        assert!(!operation(&[]).give_back());
        assert_eq!(operation(&[]).state, Waiting);
    }
}
