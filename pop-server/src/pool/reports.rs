//! What has to be reported and is not yet durable. Pure: the executor takes a batch, sends it, and says what came of it.
//! States of one operation that follow each other before they are sent are merged, so a flood of progress costs nothing.

use std::collections::{BTreeMap, HashMap};

use pop_sdk::api::{AgendaEnd, LeaseId, LogChunk, Made, OperationState, OperationView, Report};

/// Reports of all runs, by the driver's number for the run.
#[derive(Debug, Default)]
pub struct ReportQueue {
    waiting: BTreeMap<u64, Pending>,
    urgent: bool,
}

/// What one run has to report.
#[derive(Debug, Default)]
struct Pending {
    operations: Vec<(usize, OperationView, bool)>,
    last: HashMap<usize, usize>,
    made: Vec<Made>,
    logs: Vec<LogChunk>,
    end: Option<AgendaEnd>,
}

/// One run's part of a batch that is on its way.
#[derive(Debug)]
pub struct Sent {
    /// The driver's number for the run.
    pub run: u64,
    /// What becomes committed when the report is accepted: operation and attempt.
    pub commits: Vec<(usize, u32)>,
    /// Whether the agenda's end is in it.
    pub end: bool,
}

impl ReportQueue {
    /// Adds an operation's new state; `commits` says whether the run waits until it is durable.
    pub fn operation(&mut self, run: u64, op: usize, view: OperationView, commits: bool) {
        self.urgent |= view.state != OperationState::Executing || view.percent == 0.0;
        let pending = self.waiting.entry(run).or_default();
        if let Some(&at) = pending.last.get(&op) {
            let (_, old, awaited) = &pending.operations[at];
            let passing = !awaited && !old.state.is_terminal();
            let waited = old.state == OperationState::Ready;
            if passing && (old.attempt == view.attempt || waited) {
                pending.operations[at] = (op, view, commits);
                return;
            }
        }
        pending.last.insert(op, pending.operations.len());
        pending.operations.push((op, view, commits));
    }

    /// Adds what a generator made; it travels with the generator's success.
    pub fn made(&mut self, run: u64, made: Made) {
        self.waiting.entry(run).or_default().made.push(made);
    }

    /// Adds log text.
    pub fn log(&mut self, run: u64, chunk: LogChunk) {
        let logs = &mut self.waiting.entry(run).or_default().logs;
        if let Some(last) = logs.last_mut()
            && (last.operation.as_str(), last.attempt, &last.stream)
                == (chunk.operation.as_str(), chunk.attempt, &chunk.stream)
            && last.text.len() < 64 * 1024
        {
            last.text.push_str(&chunk.text);
            return;
        }
        logs.push(chunk);
    }

    /// Adds the agenda's end.
    pub fn end(&mut self, run: u64, end: AgendaEnd) {
        self.urgent = true;
        self.waiting.entry(run).or_default().end = Some(end);
    }

    /// Whether something waits that should not wait for long (more than progress and log text).
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether this run has something to report.
    pub fn has(&self, run: u64) -> bool {
        self.waiting.contains_key(&run)
    }

    /// Drops what a run had to report.
    pub fn forget(&mut self, run: u64) {
        self.waiting.remove(&run);
    }

    /// Takes everything. `lease` gives a run's agenda and epoch; runs without one are dropped.
    pub fn take(&mut self, lease: impl Fn(u64) -> Option<LeaseId>) -> Vec<(Report, Sent)> {
        self.urgent = false;
        let waiting = std::mem::take(&mut self.waiting);
        let mut batch = Vec::with_capacity(waiting.len());
        for (run, pending) in waiting {
            let Some(LeaseId { id, epoch }) = lease(run) else { continue };
            let awaited = pending.operations.iter().filter(|(.., commits)| *commits);
            let commits = awaited.map(|(op, view, _)| (*op, view.attempt)).collect();
            let sent = Sent { run, commits, end: pending.end.is_some() };
            let operations = pending.operations.into_iter().map(|(_, view, _)| view).collect();
            let Pending { made, logs, end, .. } = pending;
            batch.push((Report { id, epoch, operations, made, logs, end }, sent));
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(state: OperationState, attempt: u32, percent: f64) -> OperationView {
        OperationView { name: "a".into(), state, attempt, percent, ..OperationView::default() }
    }

    fn states(batch: &[(Report, Sent)]) -> Vec<(OperationState, u32)> {
        batch[0].0.operations.iter().map(|v| (v.state, v.attempt)).collect()
    }

    #[test]
    fn progress_is_merged_and_ends_are_remembered() {
        let mut reports = ReportQueue::default();
        reports.operation(1, 0, view(OperationState::Executing, 1, 0.0), false);
        assert!(reports.is_urgent());
        for percent in 1..50 {
            reports.operation(1, 0, view(OperationState::Executing, 1, f64::from(percent)), false);
        }
        reports.operation(1, 0, view(OperationState::Succeeded, 1, 100.0), true);
        let batch = reports.take(|_| Some(LeaseId { id: "ag".into(), epoch: 7 }));
        assert_eq!(states(&batch), [(OperationState::Succeeded, 1)]);
        assert_eq!(batch[0].1.commits, [(0, 1)]);
        assert_eq!(batch[0].0.epoch, 7);
        assert!(reports.is_empty());
    }

    #[test]
    fn a_failed_attempt_is_not_merged_into_the_next() {
        let mut reports = ReportQueue::default();
        reports.operation(1, 0, view(OperationState::Executing, 1, 0.0), false);
        reports.operation(1, 0, view(OperationState::Ready, 1, 0.0), true);
        reports.operation(1, 0, view(OperationState::Executing, 2, 0.0), false);
        let batch = reports.take(|_| Some(LeaseId { id: "ag".into(), epoch: 1 }));
        assert_eq!(states(&batch), [(OperationState::Ready, 1), (OperationState::Executing, 2)]);
    }

    #[test]
    fn progress_alone_can_wait() {
        let mut reports = ReportQueue::default();
        reports.operation(1, 0, view(OperationState::Executing, 1, 40.0), false);
        assert!(!reports.is_urgent());
        assert!(!reports.is_empty());
        reports.forget(1);
        assert!(reports.is_empty());
    }
}
