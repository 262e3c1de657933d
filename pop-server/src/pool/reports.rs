//! The reports that are not durable yet. Pure: the executor takes a batch, sends it, and handles the answers.
//! Successive states of one operation are merged before they are sent, so frequent progress costs nothing.

use std::collections::{BTreeMap, HashMap};

use pop_sdk::api::{AgendaEnd, LeaseId, LogChunk, Made, OperationState, OperationView, Report};

/// Reports of all runs, by the executor's number of the run.
#[derive(Debug, Default)]
pub struct ReportQueue {
    waiting: BTreeMap<u64, Pending>,
    urgent: bool,
}

/// The waiting reports of one run.
#[derive(Debug, Default)]
struct Pending {
    operations: Vec<(usize, OperationView, bool)>,
    last: HashMap<usize, usize>,
    made: Vec<Made>,
    logs: Vec<LogChunk>,
    end: Option<AgendaEnd>,
}

/// One run's part of the batch that was sent.
#[derive(Debug)]
pub struct Sent {
    /// The executor's number of the run.
    pub run: u64,
    /// Operation and attempt of the results that become durable when the report is accepted.
    pub commits: Vec<(usize, u32)>,
    /// Whether the report has the agenda's end.
    pub end: bool,
}

impl ReportQueue {
    /// Adds an operation's new state; `commits` means that the run waits until the state is durable.
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

    /// Adds the new operations of a generator, which travel with the generator's success.
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

    /// Whether reports wait that are more urgent than progress and log text.
    pub fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Whether no report waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether this run has waiting reports.
    pub fn has(&self, run: u64) -> bool {
        self.waiting.contains_key(&run)
    }

    /// Drops the waiting reports of a run.
    pub fn forget(&mut self, run: u64) {
        self.waiting.remove(&run);
    }

    /// Takes all reports. `lease` returns a run's lease; reports of runs without a lease are dropped.
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
