//! The run of one agenda as a pure state machine: events and the time come in, effects come out. No clock, no tokio, no
//! HTTP: its driver performs the effects and brings back their results.
//!
//! Rules it keeps: an operation starts only after everything it waits for is *committed*, not merely finished; attempts
//! are numbered and only go up; whatever comes from an attempt that is no longer the current one is ignored; each
//! operation ends in exactly one terminal state. A step costs the number of operations it touches.

mod context;
mod event;
mod failure;
mod generated;
mod op;
mod plan;
mod secrets;
mod spec;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use crate::api::{AgendaEnd, AgendaState, Failure, FailureClass, OperationState, OperationView};
use jiff::Timestamp;
use pop_compiler::values;
use serde_json::{Map, Value};

pub use self::context::Outputs;
pub use self::event::{Effect, Event, TimerKind};
pub use self::failure::fail;
use self::failure::{backoff_delay, dependency_failure, output_failure, timeout_failure, unknown_failure};
use self::generated::Promised;
use self::op::{Op, Phase, Skip, SkipReason, Why, mark_of};
use self::plan::Prepared;
pub use self::plan::{EdgeKind, OnFailure, Plan, Resources, Step, stdout_is_output};
pub use self::secrets::Masker;

/// Infrastructure failures are tried again on their own budget, which the user's retries never touch.
const INFRA_RETRIES: u32 = 5;
const INFRA_BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(2));

/// One agenda, running.
#[derive(Debug)]
pub struct Run {
    plan: Plan,
    agenda: String,
    ops: Vec<Op>,
    outputs: Outputs,
    /// What became of each of the plan's promises.
    promised: Vec<Promised>,
    /// What generators made whose success is not durable yet.
    generated: HashMap<usize, Prepared>,
    /// Operations that are not terminal.
    open: usize,
    mode: Mode,
    first_failure: Option<(usize, Failure)>,
}

/// Where a run begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct StartFrom<'a> {
    /// The agenda's id.
    pub agenda: &'a str,
    /// What earlier leases have reached: operations by name. Unknown names are passed over.
    pub progress: &'a [OperationView],
    /// How many earlier leases of this run were lost: under each of them one attempt of each operation may have been
    /// started that `progress` says nothing of.
    pub interrupted: u32,
    /// Attempts that still run: operation and attempt. They are launched again under their number.
    pub running: &'a [(String, u32)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    /// An operation failed under `on_failure = "stop"`: nothing new starts.
    Stopping,
    Cancelling,
    /// The lease is being given back: nothing new starts, and nothing ends for want of it.
    Yielding,
    /// Ended, or handed to another agent: no event changes the run any more.
    Finished,
}

impl Run {
    /// A run of `plan` that goes on from where earlier leases were, and its first effects.
    pub fn start(plan: Plan, from: &StartFrom<'_>, now: Timestamp) -> (Self, Vec<Effect>) {
        let agenda = from.agenda;
        let ops = plan.steps.iter().map(Op::new).collect::<Vec<_>>();
        let outputs = Outputs::new(agenda, plan.customer.as_deref());
        let open = ops.len();
        let agenda = agenda.to_owned();
        let (promised, generated) = (generated::all_open(&plan), HashMap::new());
        let mode = Mode::Running;
        let mut run =
            Self { plan, agenda, ops, outputs, promised, generated, open, mode, first_failure: None };
        let mut effects = Vec::new();
        run.restore(from, now, &mut effects);
        if run.open == 0 {
            run.end(&mut effects);
        }
        (run, effects)
    }

    /// Takes one event in. Total: an event that does not fit the state has no effect.
    pub fn step(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.mode == Mode::Finished {
            return effects;
        }
        match event {
            Event::Waiting { op, attempt, reason } => self.waiting(op, attempt, reason, &mut effects),
            Event::Started { op, attempt } => self.started(op, attempt, now, &mut effects),
            Event::Moments { op, attempt, ledger } => {
                if let Some(o) = self.current(op, attempt) {
                    let known = o.view.ledger.get_or_insert_default();
                    // An attempt that goes on under another lease was due before that.
                    let ready_at = known.ready_at.or(ledger.ready_at);
                    known.update(*ledger);
                    known.ready_at = ready_at;
                }
            }
            Event::Progress { op, attempt, percent, message } => {
                self.progress(op, attempt, percent, message, &mut effects);
            }
            Event::Exited { op, attempt, outcome } => self.exited(op, attempt, outcome, now, &mut effects),
            Event::Committed { op, attempt } => self.committed(op, attempt, now, &mut effects),
            Event::OutputRefused { op, attempt, failure } => {
                self.refused(op, attempt, failure);
            }
            Event::Timer { op, attempt, kind } => self.timer(op, attempt, kind, now, &mut effects),
            Event::Cancel => self.cancel(now, &mut effects),
            Event::LeaseLost => self.lose(&mut effects),
            Event::Yield => self.give_back(&mut effects),
        }
        if self.open == 0 && self.mode != Mode::Finished {
            self.end(&mut effects);
        }
        effects
    }

    /// The plan that this run follows.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The agenda's id.
    pub fn agenda(&self) -> &str {
        &self.agenda
    }

    /// The state of an operation.
    pub fn operation(&self, op: usize) -> Option<&OperationView> {
        self.ops.get(op).map(|o| &o.view)
    }

    /// Whether the lease is being given back.
    pub fn is_yielding(&self) -> bool {
        self.mode == Mode::Yielding
    }

    /// Whether the run has ended (or was lost): no event changes it any more.
    pub fn is_over(&self) -> bool {
        self.mode == Mode::Finished
    }

    /// Whether nothing runs and nothing that has happened is still to become durable.
    pub fn is_quiet(&self) -> bool {
        let settled = |o: &Op| match o.phase {
            Phase::Idle | Phase::Done => true,
            Phase::Delayed { committed, .. } => committed,
            Phase::Live | Phase::Reported(_) => false,
        };
        self.ops.iter().all(settled)
    }

    fn restore(&mut self, from: &StartFrom<'_>, now: Timestamp, effects: &mut Vec<Effect>) {
        let by_name: HashMap<&str, &OperationView> =
            from.progress.iter().map(|view| (view.name.as_str(), view)).collect();
        let running: HashMap<&str, u32> = from.running.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        let mut settled = Vec::new();
        for (i, step) in self.plan.steps.iter().enumerate() {
            let op = &mut self.ops[i];
            op.running = running.get(step.name.as_str()).copied();
            op.unheard = from.interrupted;
            let Some(view) = by_name.get(step.name.as_str()) else { continue };
            // The end of this attempt is durable, so what is left of it must not run on under its number.
            op.running = op.running.filter(|running| *running > view.attempt || was_running(view));
            op.view.ledger.clone_from(&view.ledger);
            // It ran under the only lease that was lost, so that one can't have started its successor.
            if from.interrupted == 1 && was_running(view) {
                op.unheard = 0;
            }
            op.view.attempt = view.attempt;
            op.view.failures = view.failures;
            op.view.started_at = view.started_at;
            if !view.state.is_terminal() {
                continue;
            }
            op.view = OperationView { kind: step.kind.clone(), ..(*view).clone() };
            let output = op.view.output.take();
            op.phase = Phase::Done;
            self.open -= 1;
            if view.state == OperationState::Succeeded {
                self.outputs.insert(&step.name, output.unwrap_or(Value::Null));
            }
            settled.push(i);
        }
        for i in settled {
            let state = self.ops[i].view.state;
            if state == OperationState::Failed {
                let failure = self.ops[i].view.failure.clone();
                self.note_failure(i, failure.unwrap_or_else(|| unknown_failure(&self.ops[i].view.name)));
            }
            self.spread(i, mark_of(&self.ops[i].view));
        }
        if self.first_failure.is_some() && self.plan.on_failure == OnFailure::Stop {
            self.mode = Mode::Stopping;
            self.drop_idle(OperationState::Skipped, now, effects);
        }
        let idle: Vec<usize> = (0..self.ops.len()).filter(|&i| self.ops[i].phase == Phase::Idle).collect();
        self.release(idle, now, effects);
        for op in &mut self.ops {
            // What waits even now can't have been started before: what it waits for was not durable.
            op.unheard = 0;
        }
    }

    fn started(&mut self, op: usize, attempt: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(o) = self.current(op, attempt) else { return };
        if o.view.state != OperationState::Launching {
            return;
        }
        o.view.state = OperationState::Executing;
        o.view.started_at = Some(now);
        if let Some(ledger) = &mut o.view.ledger {
            ledger.spoke_at.get_or_insert(now);
        }
        effects.push(report(op, o));
        if let Some(after) = self.plan.steps[op].timeout {
            effects.push(Effect::Timer { op, attempt, kind: TimerKind::Timeout, after });
        }
    }

    /// The attempt is told of as the one before it, which is over: its own number is told of when it starts.
    fn waiting(&mut self, op: usize, attempt: u32, reason: String, effects: &mut Vec<Effect>) {
        let Some(o) = self.current(op, attempt) else { return };
        if o.view.state != OperationState::Launching {
            return;
        }
        let view = OperationView {
            state: OperationState::Ready,
            attempt: attempt - 1,
            message: Some(reason),
            ledger: None,
            ..o.view.clone()
        };
        effects.push(Effect::Report { op, view, commits: false });
    }

    fn progress(
        &mut self,
        op: usize,
        attempt: u32,
        percent: f64,
        message: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(o) = self.current(op, attempt) else { return };
        // A running operation is never finished, and never goes back.
        let percent = if percent.is_finite() { percent.clamp(0.0, 99.9) } else { 0.0 };
        o.view.percent = o.view.percent.max(percent);
        if message.is_some() {
            o.view.message = message;
        }
        effects.push(report(op, o));
    }

    fn exited(
        &mut self,
        op: usize,
        attempt: u32,
        outcome: Result<Value, Failure>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let cancelling = self.mode == Mode::Cancelling;
        let Some(o) = self.current(op, attempt) else { return };
        if let Some(ledger) = &mut o.view.ledger {
            ledger.exited_at.get_or_insert(now);
            ledger.reported_at.get_or_insert(now);
        }
        let outcome = outcome.and_then(|output| self.typed(op, output)).and_then(|o| self.read_made(op, o));
        let o = &self.ops[op];
        match outcome {
            Ok((output, made)) => {
                effects.extend(made.map(|operations| Effect::Generated { op, operations }));
                self.succeed(op, output, now, effects);
            }
            Err(_) if cancelling => self.settle(op, OperationState::Cancelled, Why::Run, now, effects),
            Err(_) if self.mode == Mode::Yielding => self.hand_over(op, effects),
            Err(failure) => {
                let failure =
                    if o.timed_out { timeout_failure(&self.plan.steps[op], failure) } else { failure };
                self.fail(op, failure, now, effects);
            }
        }
    }

    /// The output, if it is what the operation's type declares.
    fn typed(&self, op: usize, output: Value) -> Result<Value, Failure> {
        let step = &self.plan.steps[op];
        let Some(spec) = &step.spec else { return Ok(output) };
        let Some(schema) = &spec.output else { return Ok(output) };
        let nothing = output.is_null() || output.as_object().is_some_and(Map::is_empty);
        // a program may give what it was given
        let told = (!spec.secrets.is_empty()).then(|| output.clone());
        let misfit = match values::check_output(schema, output) {
            Ok(output) => return Ok(output),
            Err(misfit) => misfit,
        };
        let Some(mut told) = told else { return Err(output_failure(step, &misfit, nothing)) };
        let masker = self.outputs.payload(step).map(|input| Masker::new(&input, &spec.secrets));
        let masker = masker.unwrap_or_default();
        masker.mask_value(&mut told);
        let misfit = values::check_output(schema, told).err().unwrap_or(misfit);
        let mut failure = output_failure(step, &misfit, nothing);
        masker.mask_failure(&mut failure);
        Err(failure)
    }

    fn succeed(&mut self, op: usize, output: Value, now: Timestamp, effects: &mut Vec<Effect>) {
        let o = &mut self.ops[op];
        o.view.state = OperationState::Succeeded;
        o.view.percent = 100.0;
        o.view.ended_at = Some(now);
        o.view.failure = None;
        let view = OperationView { output: Some(output.clone()), ..o.view.clone() };
        o.phase = Phase::Reported(Some(output));
        effects.push(Effect::Report { op, view, commits: true });
    }

    /// The attempt was stopped because the lease is given back; the next agent that runs the agenda starts another one.
    fn hand_over(&mut self, op: usize, effects: &mut Vec<Effect>) {
        let o = &mut self.ops[op];
        o.phase = Phase::Delayed { due: false, committed: false };
        o.timed_out = false;
        o.view.state = OperationState::Ready;
        o.view.percent = 0.0;
        o.view.message = None;
        effects.push(Effect::Report { op, view: o.view.clone(), commits: true });
    }

    fn fail(&mut self, op: usize, failure: Failure, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.mode == Mode::Running
            && let Some(delay) = self.retry_delay(op, &failure)
        {
            let o = &mut self.ops[op];
            o.phase = Phase::Delayed { due: false, committed: false };
            o.timed_out = false;
            o.view.state = OperationState::Ready;
            o.view.percent = 0.0;
            o.view.failure = Some(failure);
            let attempt = o.view.attempt;
            effects.push(Effect::Report { op, view: o.view.clone(), commits: true });
            effects.push(Effect::Timer { op, attempt, kind: TimerKind::Retry, after: delay });
        } else {
            self.fail_for_good(op, failure, now, effects);
        }
    }

    fn fail_for_good(&mut self, op: usize, failure: Failure, now: Timestamp, effects: &mut Vec<Effect>) {
        let o = &mut self.ops[op];
        o.view.state = OperationState::Failed;
        o.view.ended_at = Some(now);
        o.view.failure = Some(failure.clone());
        o.phase = Phase::Reported(None);
        effects.push(Effect::Report { op, view: o.view.clone(), commits: true });
        self.note_failure(op, failure);
    }

    /// The delay before the next attempt, if there is to be one.
    fn retry_delay(&mut self, op: usize, failure: &Failure) -> Option<Duration> {
        let o = &mut self.ops[op];
        let (count, backoff) = if failure::is_preemption(failure) {
            // It only gave way; how often says nothing about the operation.
            (1, INFRA_BACKOFF)
        } else if failure.class == FailureClass::Infra {
            o.infra_failures += 1;
            if o.infra_failures > INFRA_RETRIES {
                return None;
            }
            (o.infra_failures, INFRA_BACKOFF)
        } else {
            o.view.failures = o.view.failures.saturating_add(1);
            let retry = &self.plan.steps[op].retry;
            if o.view.failures >= retry.attempts || !retry.covers(failure.class.cause()) {
                return None;
            }
            (o.view.failures, retry.backoff)
        };
        Some(backoff_delay(backoff, count, &self.agenda, op))
    }

    fn committed(&mut self, op: usize, attempt: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(o) = self.ops.get_mut(op) else { return };
        if o.view.attempt != attempt {
            return;
        }
        let output = match &mut o.phase {
            Phase::Reported(output) => output.take(),
            Phase::Delayed { committed, .. } => {
                *committed = true;
                return self.try_again(op, now, effects);
            }
            Phase::Idle | Phase::Live | Phase::Done => return,
        };
        o.phase = Phase::Done;
        self.open -= 1;
        let state = self.ops[op].view.state;
        if let Some(output) = output {
            self.outputs.insert(&self.plan.steps[op].name, output);
        }
        if state == OperationState::Failed
            && self.plan.on_failure == OnFailure::Stop
            && self.mode == Mode::Running
        {
            self.mode = Mode::Stopping;
            self.drop_idle(OperationState::Skipped, now, effects);
        }
        let first_added = self.ops.len();
        let mut next = self.generated.remove(&op).map(|made| self.add_generated(made)).unwrap_or_default();
        next.extend(self.spread(op, mark_of(&self.ops[op].view)));
        self.drop_added(first_added, now, effects);
        self.release(next, now, effects);
    }

    fn refused(&mut self, op: usize, attempt: u32, failure: Failure) {
        let Some(o) = self.ops.get_mut(op).filter(|o| o.view.attempt == attempt) else { return };
        if matches!(o.phase, Phase::Reported(Some(_))) {
            o.phase = Phase::Reported(None);
            o.view.state = OperationState::Failed;
            o.view.failure = Some(failure.clone());
            self.generated.remove(&op);
            self.note_failure(op, failure);
        }
    }

    fn timer(&mut self, op: usize, attempt: u32, kind: TimerKind, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(o) = self.ops.get_mut(op).filter(|o| o.view.attempt == attempt) else { return };
        match (kind, &o.phase) {
            (TimerKind::Timeout, Phase::Live) => {
                o.timed_out = true;
                effects.push(Effect::Kill { op, attempt });
            }
            (TimerKind::Retry, Phase::Delayed { committed, .. }) => {
                o.phase = Phase::Delayed { due: true, committed: *committed };
                self.try_again(op, now, effects);
            }
            _ => {}
        }
    }

    /// Starts the next attempt, if its time has come and nothing is in its way any more.
    fn try_again(&mut self, op: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.ops[op].phase == (Phase::Delayed { due: true, committed: true }) {
            self.ops[op].phase = Phase::Idle;
            self.release(vec![op], now, effects);
        }
    }

    fn cancel(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.mode == Mode::Cancelling {
            return;
        }
        self.mode = Mode::Cancelling;
        self.kill_live(effects);
        self.drop_idle(OperationState::Cancelled, now, effects);
    }

    fn lose(&mut self, effects: &mut Vec<Effect>) {
        self.kill_live(effects);
        self.mode = Mode::Finished;
    }

    /// A run that is being cancelled goes on to its end: that is as short.
    fn give_back(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.mode, Mode::Running | Mode::Stopping) {
            self.mode = Mode::Yielding;
            self.kill_live(effects);
        }
    }

    fn kill_live(&self, effects: &mut Vec<Effect>) {
        for (op, o) in self.ops.iter().enumerate() {
            if o.phase == Phase::Live {
                effects.push(Effect::Kill { op, attempt: o.view.attempt });
            }
        }
    }

    fn drop_idle(&mut self, state: OperationState, now: Timestamp, effects: &mut Vec<Effect>) {
        for op in 0..self.ops.len() {
            if matches!(self.ops[op].phase, Phase::Idle | Phase::Delayed { .. }) {
                self.settle(op, state, Why::Run, now, effects);
            }
        }
    }

    /// Starts, skips or fails those of `candidates` that wait for nothing any more; what that settles at once may
    /// release others, which are taken in turn.
    fn release(&mut self, candidates: Vec<usize>, now: Timestamp, effects: &mut Vec<Effect>) {
        let mut work = std::collections::VecDeque::from(candidates);
        while let Some(op) = work.pop_front() {
            let o = &self.ops[op];
            if o.phase != Phase::Idle || o.unmet > 0 {
                continue;
            }
            if let Some(skip) = o.skip {
                self.settle(op, OperationState::Skipped, Why::Dependency(skip), now, effects);
                work.extend(self.spread(op, Some(skip.reason)));
                continue;
            }
            match self.mode {
                Mode::Running => {}
                Mode::Yielding => continue,
                Mode::Cancelling => {
                    self.settle(op, OperationState::Cancelled, Why::Run, now, effects);
                    continue;
                }
                Mode::Stopping | Mode::Finished => {
                    self.settle(op, OperationState::Skipped, Why::Run, now, effects);
                    continue;
                }
            }
            let step = &self.plan.steps[op];
            match self.outputs.condition(step) {
                Ok(true) => match self.outputs.payload(step) {
                    Ok(payload) => self.launch(op, payload, effects),
                    Err(failure) => self.fail_unstarted(op, failure, now, effects),
                },
                Ok(false) => {
                    self.settle(op, OperationState::Skipped, Why::Condition, now, effects);
                    work.extend(self.spread(op, Some(SkipReason::Condition)));
                }
                Err(failure) => self.fail_unstarted(op, failure, now, effects),
            }
        }
    }

    fn launch(&mut self, op: usize, payload: Value, effects: &mut Vec<Effect>) {
        let o = &mut self.ops[op];
        o.phase = Phase::Live;
        let before = o.view.attempt;
        o.view.attempt = match o.running.take() {
            Some(running) if running >= o.view.attempt => running,
            _ => o.view.attempt + 1 + std::mem::take(&mut o.unheard),
        };
        o.view.state = OperationState::Launching;
        o.view.message = None;
        if o.view.attempt > before {
            o.view.ledger = None;
        }
        effects.push(Effect::Launch { op, attempt: o.view.attempt, payload });
    }

    /// The input of the operation has no value: no further attempt would have one.
    fn fail_unstarted(&mut self, op: usize, failure: Failure, now: Timestamp, effects: &mut Vec<Effect>) {
        let o = &mut self.ops[op];
        o.view.attempt += 1;
        o.view.failures = o.view.failures.saturating_add(1);
        self.fail_for_good(op, failure, now, effects);
    }

    /// Makes an operation terminal without a commit: what it follows from is durable already.
    fn settle(
        &mut self,
        op: usize,
        state: OperationState,
        why: Why,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let reason = self.reason(why);
        let o = &mut self.ops[op];
        if o.phase == Phase::Done {
            return;
        }
        o.phase = Phase::Done;
        o.view.state = state;
        o.view.ended_at = Some(now);
        if state == OperationState::Skipped {
            // A skip without a failure means a false condition; `mark_of` reads it that way.
            (o.view.message, o.view.failure) = match why {
                Why::Condition => (Some("the condition was false".to_owned()), None),
                Why::Dependency(Skip { reason: SkipReason::Condition, .. }) => (Some(reason), None),
                Why::Dependency(Skip { reason: SkipReason::Failure, .. }) => {
                    (None, Some(dependency_failure(&reason)))
                }
                Why::Run => {
                    (None, Some(dependency_failure("another operation failed, and `on_failure` is \"stop\"")))
                }
            };
        }
        self.open -= 1;
        effects.push(report(op, &self.ops[op]));
    }

    /// What is said of an operation that is skipped because of another one.
    fn reason(&self, why: Why) -> String {
        let Why::Dependency(Skip { reason, by }) = why else { return String::new() };
        let Some(other) = self.operation(by) else { return String::new() };
        let what = match (reason, other.state) {
            (SkipReason::Condition, _) => "whose output it needs, was skipped",
            (SkipReason::Failure, OperationState::Failed) => "which it needs, failed",
            (SkipReason::Failure, OperationState::Cancelled) => "which it needs, was cancelled",
            (SkipReason::Failure, _) => "which it needs, was skipped for a failure",
        };
        format!("`{}`, {what}", other.name)
    }

    /// Tells the dependents that `op` is terminal; gives those that wait for nothing any more.
    fn spread(&mut self, op: usize, mark: Option<SkipReason>) -> Vec<usize> {
        let mut free = Vec::new();
        for edge in &self.plan.steps[op].dependents {
            let o = &mut self.ops[edge.to];
            o.unmet = o.unmet.saturating_sub(1);
            o.skip_by(mark, op, edge.kind);
            if o.unmet == 0 {
                free.push(edge.to);
            }
        }
        if !self.plan.steps[op].promised.is_empty() {
            free.extend(self.settle_promises(op, mark));
        }
        free
    }

    fn note_failure(&mut self, op: usize, failure: Failure) {
        if self.first_failure.is_none() {
            self.first_failure = Some((op, failure));
        }
    }

    fn end(&mut self, effects: &mut Vec<Effect>) {
        let cancelled = self.mode == Mode::Cancelling;
        self.mode = Mode::Finished;
        let failed =
            |failure| AgendaEnd { state: AgendaState::Failed, outputs: None, failure: Some(failure) };
        let end = match self.first_failure.take() {
            _ if cancelled => AgendaEnd { state: AgendaState::Cancelled, outputs: None, failure: None },
            Some((op, failure)) => {
                failed(Failure { operation: Some(self.plan.steps[op].name.clone()), ..failure })
            }
            None => match self.outputs.result(&self.plan) {
                Ok(outputs) => AgendaEnd { state: AgendaState::Succeeded, outputs, failure: None },
                Err(failure) => failed(failure),
            },
        };
        effects.push(Effect::End(end));
    }

    /// The operation, if this attempt of it is the current one and live.
    fn current(&mut self, op: usize, attempt: u32) -> Option<&mut Op> {
        self.ops.get_mut(op).filter(|o| o.view.attempt == attempt && o.phase == Phase::Live)
    }
}

/// A report that nothing waits for.
fn report(op: usize, o: &Op) -> Effect {
    Effect::Report { op, view: o.view.clone(), commits: false }
}

/// Whether the attempt that is told of was running when its lease ended. The next one is launched only when the end of
/// the one before it is durable.
fn was_running(view: &OperationView) -> bool {
    let ended = match &view.ledger {
        Some(ledger) => ledger.reported_at.is_some(),
        // A pool of an earlier version told no moments. Then a failure of the attempt before this one looks like an end.
        None => view.failure.is_some(),
    };
    let given_back = view.state == OperationState::Ready && view.attempt > 0 && !ended;
    given_back || matches!(view.state, OperationState::Launching | OperationState::Executing)
}
