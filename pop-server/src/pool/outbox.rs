//! What has to be reported and is not yet durable. Pure: the executor takes a batch, sends it, and says what came of it.
//! States of one operation that follow each other before they are sent are merged, so a flood of progress costs nothing.

use std::collections::{BTreeMap, HashMap};

use pop_sdk::api::{AgendaEnd, LogChunk, Made, OperationState, OperationView, Report};

/// Reports of all runs, by the driver's number for the run.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: BTreeMap<u64, Pending>,
    urgent: bool,
}

/// What one run has to report.
#[derive(Debug, Default)]
struct Pending {
    operations: Vec<(usize, OperationView)>,
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
    /// Ends of attempts that become committed when the report is accepted: operation and attempt.
    pub ends: Vec<(usize, u32)>,
    /// Whether the agenda's end is in it.
    pub end: bool,
}

impl Outbox {
    /// Adds an operation's new state.
    pub fn operation(&mut self, run: u64, op: usize, view: OperationView) {
        self.urgent |= view.state != OperationState::Executing || view.percent == 0.0;
        let pending = self.waiting.entry(run).or_default();
        if let Some(&at) = pending.last.get(&op) {
            let old = &pending.operations[at].1;
            if old.attempt == view.attempt && !old.state.is_terminal() && old.state != OperationState::Ready {
                pending.operations[at].1 = view;
                return;
            }
        }
        pending.last.insert(op, pending.operations.len());
        pending.operations.push((op, view));
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

    /// Drops what a run had to report.
    pub fn forget(&mut self, run: u64) {
        self.waiting.remove(&run);
    }

    /// Takes everything. `lease` gives a run's agenda and epoch; runs without one are dropped.
    pub fn take(&mut self, lease: impl Fn(u64) -> Option<(String, u64)>) -> Vec<(Report, Sent)> {
        self.urgent = false;
        let waiting = std::mem::take(&mut self.waiting);
        let mut batch = Vec::with_capacity(waiting.len());
        for (run, pending) in waiting {
            let Some((id, epoch)) = lease(run) else { continue };
            let commits =
                |v: &OperationView| matches!(v.state, OperationState::Succeeded | OperationState::Failed);
            let ends = pending
                .operations
                .iter()
                .filter(|(_, v)| commits(v))
                .map(|(op, v)| (*op, v.attempt))
                .collect();
            let sent = Sent { run, ends, end: pending.end.is_some() };
            let operations = pending.operations.into_iter().map(|(_, view)| view).collect();
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
        let mut outbox = Outbox::default();
        outbox.operation(1, 0, view(OperationState::Executing, 1, 0.0));
        assert!(outbox.is_urgent());
        for percent in 1..50 {
            outbox.operation(1, 0, view(OperationState::Executing, 1, f64::from(percent)));
        }
        outbox.operation(1, 0, view(OperationState::Succeeded, 1, 100.0));
        let batch = outbox.take(|_| Some(("ag".into(), 7)));
        assert_eq!(states(&batch), [(OperationState::Succeeded, 1)]);
        assert_eq!(batch[0].1.ends, [(0, 1)]);
        assert_eq!(batch[0].0.epoch, 7);
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_failed_attempt_is_not_merged_into_the_next() {
        let mut outbox = Outbox::default();
        outbox.operation(1, 0, view(OperationState::Executing, 1, 0.0));
        outbox.operation(1, 0, view(OperationState::Ready, 1, 0.0));
        outbox.operation(1, 0, view(OperationState::Executing, 2, 0.0));
        let batch = outbox.take(|_| Some(("ag".into(), 1)));
        assert_eq!(states(&batch), [(OperationState::Ready, 1), (OperationState::Executing, 2)]);
    }

    #[test]
    fn progress_alone_can_wait() {
        let mut outbox = Outbox::default();
        outbox.operation(1, 0, view(OperationState::Executing, 1, 40.0));
        assert!(!outbox.is_urgent());
        assert!(!outbox.is_empty());
        outbox.forget(1);
        assert!(outbox.is_empty());
    }
}
