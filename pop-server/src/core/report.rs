//! Applies reports of agents. The epoch fences reports, and a repeated report changes nothing.

use std::collections::HashSet;

use super::command::{AgendaEnd, Generated, Refusal, Reply, Report, ReportResult};
use super::lifecycle::{Next, Transition, next};
use super::live::{Live, Place};
use super::record::{AgendaState, OperationState, OperationUpdate, Write};
use super::{Core, Tx};
use crate::ids::{AgendaNo, PoolId};

impl Core {
    /// Checks all reports before the first one is applied: a request that contradicts itself changes nothing.
    pub(super) fn report(
        &mut self,
        tx: &mut Tx,
        pool: &PoolId,
        worker: &str,
        instance: &str,
        reports: Vec<Report>,
    ) -> Result<Reply, Refusal> {
        self.check_pool(pool)?;
        if self.hear(tx, pool, worker, instance).is_err() {
            return Ok(Reply::Reported(vec![ReportResult::Stale; reports.len()]));
        }
        for report in &reports {
            if let Some(no) = self.holding(pool, worker, instance, &report.lease) {
                self.check_report(no, report)?;
            }
        }
        let mut results = Vec::with_capacity(reports.len());
        for report in reports {
            // The second look-up is needed: an earlier report may have ended the agenda.
            results.push(match self.holding(pool, worker, instance, &report.lease) {
                Some(no) => {
                    self.apply_report(tx, no, report);
                    ReportResult::Accepted
                }
                None if self.state.ended_epoch(&report.lease.id) == Some(report.lease.epoch) => {
                    ReportResult::Accepted
                }
                None => ReportResult::Stale,
            });
        }
        Ok(Reply::Reported(results))
    }

    fn check_report(&self, no: AgendaNo, report: &Report) -> Result<(), Refusal> {
        let Some(live) = self.state.agendas.get(&no) else { return Ok(()) };
        let id = &report.lease.id;
        let named = report.operations.iter().map(|o| &o.name).chain(report.logs.iter().map(|l| &l.operation));
        for name in named {
            if live.find(name).is_none() {
                return Err(Refusal::Invalid(format!("agenda `{id}` has no operation `{name}`")));
            }
        }
        for made in &report.made {
            check_generated(live, made, report)?;
        }
        check_names(live, report)?;
        let Some(end) = &report.end else { return Ok(()) };
        if !end.state.is_terminal() {
            let state = end.state.as_str();
            return Err(Refusal::Invalid(format!(
                "invalid end `{state}` of agenda `{id}`: use `succeeded`, `failed` or `cancelled`"
            )));
        }
        if end.state == AgendaState::Succeeded {
            let mut open: Vec<&str> =
                live.operations.iter().filter(|o| !o.state.is_terminal()).map(|o| o.name.as_ref()).collect();
            let ended: HashSet<&str> =
                report.operations.iter().filter(|o| o.state.is_terminal()).map(|o| o.name.as_str()).collect();
            open.retain(|name| !ended.contains(name));
            if let Some(first) = open.first() {
                let count = open.len();
                return Err(Refusal::Invalid(format!(
                    "agenda `{id}` cannot end as succeeded: {count} operations have not ended, for example \
                        `{first}`"
                )));
            }
        }
        Ok(())
    }

    fn apply_report(&mut self, tx: &mut Tx, no: AgendaNo, report: Report) {
        let mut made = report.made;
        for view in report.operations {
            let own = made.iter().position(|m| m.generator == view.name);
            let own = own.filter(|_| view.state == OperationState::Succeeded).map(|at| made.swap_remove(at));
            self.apply_operation(tx, no, view, own);
        }
        for chunk in report.logs {
            tx.writes.push(Write::Log(no, Box::new(chunk)));
        }
        if let Some(end) = report.end {
            self.apply_end(tx, no, end);
        }
    }

    /// Applies a change of one operation. New operations of a generator come with its success, and count only if the
    /// success is new.
    fn apply_operation(
        &mut self,
        tx: &mut Tx,
        no: AgendaNo,
        mut view: OperationUpdate,
        made: Option<Generated>,
    ) {
        let Some(live) = self.state.agendas.get_mut(&no) else { return };
        let Some(index) = live.find(&view.name) else { return };
        let operation = &mut live.operations[index];
        let before = operation.weight();
        if !operation.report(&view) {
            return;
        }
        let (after, state) = (operation.weight(), operation.state);
        if state.is_terminal() {
            live.lost = 0;
            live.open = live.open.saturating_sub(1);
            view.ended_at = view.ended_at.or(Some(tx.now));
            if state == OperationState::Succeeded {
                live.succeeded += 1;
            }
        }
        if matches!(state, OperationState::Launching | OperationState::Executing) {
            view.started_at = view.started_at.or(Some(tx.now));
        }
        // The sum contains `before`, so the subtraction cannot underflow.
        live.weight = live.weight - before + after;
        if made.is_none() {
            live.update_percent();
        }

        let mut row = live.operations[index].row(no);
        row.message.clone_from(&view.message);
        row.started_at = view.started_at;
        row.ended_at = view.ended_at;
        row.output = view.output.take();
        row.failure.clone_from(&view.failure);
        row.ledger = view.ledger.take();
        if let Some(ledger) = row.ledger.as_mut().filter(|_| state.is_terminal()) {
            ledger.committed_at = Some(tx.now);
        }
        view.kind = live.operations[index].kind.as_ref().into();
        view.percent = row.percent;
        tx.writes.push(Write::Operation(Box::new(row)));

        let begins =
            !matches!(state, OperationState::Waiting | OperationState::Ready | OperationState::Skipped)
                && state != OperationState::Cancelled;
        if begins
            && next(live.state(), live.cancelling(), Transition::Start) == Next::To(AgendaState::Executing)
        {
            if let Place::Leased(lease) = &mut live.place {
                lease.started = true;
            }
            live.started_at = live.started_at.or(Some(tx.now));
            self.state.emit(tx, no, None);
        }
        if let Some(made) = made {
            self.state.add_operations(tx, no, made);
        }
        self.state.emit(tx, no, Some(view));
    }

    fn apply_end(&mut self, tx: &mut Tx, no: AgendaNo, end: AgendaEnd) {
        let Some(live) = self.state.agendas.get(&no) else { return };
        let Next::To(state) = next(live.state(), live.cancelling(), Transition::End(end.state)) else {
            return;
        };
        let rest =
            if state == AgendaState::Cancelled { OperationState::Cancelled } else { OperationState::Skipped };
        self.close(tx, no, rest);
        self.state.end(tx, no, state, None, end.outputs, end.failure);
    }
}

/// Checks that new operations come with the success of their generator. The operations of a known success are ignored,
/// so their names are not checked.
fn check_generated(live: &Live, made: &Generated, report: &Report) -> Result<(), Refusal> {
    let (id, generator) = (&report.lease.id, made.generator.as_str());
    let invalid = |why: String| {
        Err(Refusal::Invalid(format!(
            "invalid operations of generator `{generator}` in agenda `{id}`: {why}"
        )))
    };
    if live.find(generator).is_none() {
        return invalid("the agenda has no such operation".to_owned());
    }
    let succeeds = |o: &OperationUpdate| o.name == generator && o.state == OperationState::Succeeded;
    if !report.operations.iter().any(succeeds) {
        return invalid("the generator's success is not in the same report".to_owned());
    }
    if report.made.iter().filter(|m| m.generator == generator).count() > 1 {
        return invalid("the report lists the generator twice".to_owned());
    }
    Ok(())
}

/// Checks that generated names are new. One pass covers all generators of a report.
fn check_names(live: &Live, report: &Report) -> Result<(), Refusal> {
    let is_news =
        |m: &&Generated| live.find(&m.generator).is_some_and(|i| !live.operations[i].state.is_terminal());
    let mut names = HashSet::new();
    for made in report.made.iter().filter(is_news) {
        for other in &made.operations {
            if live.find(&other.name).is_some() || !names.insert(other.name.as_str()) {
                let (id, generator, name) = (&report.lease.id, &made.generator, &other.name);
                return Err(Refusal::Invalid(format!(
                    "invalid operations of generator `{generator}` in agenda `{id}`: the name `{name}` is taken"
                )));
            }
        }
    }
    Ok(())
}
