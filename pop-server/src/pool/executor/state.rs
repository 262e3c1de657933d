//! The executor's state and decisions, without clock, runtime or server: inputs and the time come in, outputs go out.
//! Each lease has its run. Attempts wait for admission. Reports are collected and sent one batch at a time.

use std::any::Any;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pop_compiler::agenda::{Agenda, RunSpec};
use pop_sdk::api::{
    AgendaEnd, AgendaState, Failure, FailureClass, Lease, LeaseId, Ledger, LogChunk, Made, Report,
};
use serde_json::Value;

use crate::pool::admission::{self, Admission, Claim};
use crate::pool::builtin::Builtin;
use crate::pool::delivery::{self, Answer};
use crate::pool::reports::{ReportQueue, Sent};
use crate::run::{Effect, Event, Plan, Resources, Run, StartFrom, TimerKind, fail};
use crate::runtime::{Adopted, AttemptKey, Capacity, Launch, Signal};

/// Time for which progress and log text wait for more urgent reports.
const LAZY_FLUSH: Duration = Duration::from_millis(100);

/// One moment: the date, and the time on a clock without steps and with an arbitrary start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) date: Timestamp,
    pub(super) steady: Duration,
}

/// The commands of an executor.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Run this agenda.
    Run(Box<Lease>),
    /// Cancel the run, then report its end.
    Cancel(LeaseId),
    /// End the run at once without a report: the agent has lost the lease.
    Lost(LeaseId),
    /// Stop the run's programs and report the results, so that the agent can give the lease back.
    Yield(LeaseId),
    /// Kill the programs of the run.
    Kill(LeaseId),
}

/// A finished lease, without any running program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The finished lease.
    pub lease: LeaseId,
    /// The kind of end.
    pub how: Finish,
}

/// Ways in which a lease finishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The end is durable, or the agent has lost the lease.
    Ended,
    /// The agent must give the lease back.
    Yielded,
}

/// The events of an executor.
#[derive(Debug)]
pub(super) enum Input {
    Command(Command),
    /// A lease, with the attempts of the agenda that still run.
    Run(Box<Lease>, Vec<Adopted>),
    Signal(AttemptKey, Signal),
    /// Answers to the reports of the last batch.
    Answered(Vec<Answer>),
    /// A moment of [`Executor::next_wake`] has come.
    Tick,
    /// All pending events have come in.
    Flush,
}

/// The actions of an executor.
#[derive(Debug)]
pub(super) enum Output {
    /// Find the attempts of this lease that still run, then send [`Input::Run`].
    Adopt(Box<Lease>),
    Launch(Box<Launch>, Option<Builtin>),
    Terminate(AttemptKey),
    Kill(AttemptKey),
    /// The result of an attempt is durable or no longer needed.
    Settled(AttemptKey),
    /// No attempt of the agenda runs any more.
    Forget(String),
    Send(Vec<Report>),
    Finished(Finished),
}

/// Settings of runs.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Run specs of the pool's own catalog, by operation type; they override those of an agenda.
    pub(super) types: HashMap<String, Arc<RunSpec>>,
    /// Factor for the delays of retries.
    pub(super) time_scale: f64,
    pub(super) capacity: Capacity,
}

impl Settings {
    /// The run spec of an operation type. The pool's spec overrides the agenda's, but the agenda's secrets stay secret
    /// and its declared output stays.
    fn spec_of(&self, kind: &str, agendas: Option<&Arc<RunSpec>>) -> Option<Arc<RunSpec>> {
        match (self.types.get(kind), agendas) {
            // The usual case copies nothing.
            (Some(own), Some(theirs)) if theirs.secrets.is_empty() && theirs.output == own.output => {
                Some(Arc::clone(own))
            }
            (Some(own), Some(theirs)) => {
                let secrets = own.secrets.iter().chain(&theirs.secrets).cloned().collect();
                let output = theirs.output.clone().or_else(|| own.output.clone());
                Some(Arc::new(RunSpec { secrets, output, ..own.as_ref().clone() }))
            }
            (own, theirs) => own.or(theirs.filter(|spec| spec.runs())).cloned(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Executor {
    settings: Settings,
    runs: HashMap<u64, LeasedRun>,
    by_lease: HashMap<LeaseId, u64>,
    /// The runs of each agenda; a run of an earlier lease may still be ending.
    by_agenda: HashMap<String, Vec<u64>>,
    /// Leases whose running attempts are not known yet.
    adopting: HashSet<LeaseId>,
    /// Leases that wait for the end of an earlier lease of the same agenda.
    deferred: VecDeque<(Box<Lease>, Vec<Adopted>)>,
    next_run: u64,
    admission: Admission<AttemptKey>,
    live: HashMap<AttemptKey, Live>,
    reports: ReportQueue,
    in_flight: Option<Vec<Sent>>,
    lazy_since: Option<Duration>,
    timers: BinaryHeap<Reverse<(Duration, AttemptKey, u8)>>,
    outputs: Vec<Output>,
    /// The agenda whose run panics at its next event.
    #[cfg(test)]
    planted: Option<String>,
}

/// A run and its lease.
#[derive(Debug)]
struct LeasedRun {
    run: Run,
    lease: LeaseId,
    /// Number of launched attempts that have not ended.
    live: usize,
    state: LeasedRunState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeasedRunState {
    Running,
    /// The server refused a report, or the run machine panicked. The run ends with this failure.
    GivenUp,
    /// The run reports nothing more, and finishes after the end of its attempts.
    Ending,
}

/// An attempt that was launched or waits for admission.
#[derive(Debug)]
struct Live {
    /// The launch of an attempt that has not started.
    waiting: Option<Box<Launch>>,
}

impl Executor {
    pub(super) fn new(settings: Settings) -> Self {
        let admission = Admission::new(settings.capacity);
        Self {
            settings,
            runs: HashMap::new(),
            by_lease: HashMap::new(),
            by_agenda: HashMap::new(),
            adopting: HashSet::new(),
            deferred: VecDeque::new(),
            next_run: 0,
            admission,
            live: HashMap::new(),
            reports: ReportQueue::default(),
            in_flight: None,
            lazy_since: None,
            timers: BinaryHeap::new(),
            outputs: Vec::new(),
            #[cfg(test)]
            planted: None,
        }
    }

    /// Takes one event. The function is total: an event that does not fit the state has no effect.
    pub(super) fn on(&mut self, now: Moment, input: Input) -> Vec<Output> {
        self.take_in(now, input);
        std::mem::take(&mut self.outputs)
    }

    /// Takes one of several events; the next [`on`](Self::on) returns the outputs.
    pub(super) fn take_in(&mut self, now: Moment, input: Input) {
        match input {
            Input::Command(command) => self.command(now, command),
            Input::Run(lease, running) => {
                if self.adopting.remove(&id_of(&lease)) {
                    self.run(now, lease, running);
                }
            }
            Input::Signal(key, signal) => self.signal(now, key, signal),
            Input::Answered(answers) => self.answered(now, &answers),
            Input::Tick => self.fire_timers(now),
            Input::Flush => self.flush(now),
        }
    }

    /// The next moment at which [`Input::Tick`] or [`Input::Flush`] has an effect.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        let timer = self.timers.peek().map(|Reverse((at, ..))| *at);
        let lazy = self.lazy_since.filter(|_| self.in_flight.is_none()).map(|since| since + LAZY_FLUSH);
        timer.into_iter().chain(lazy).min()
    }

    /// Whether the executor has no lease.
    pub(super) fn is_idle(&self) -> bool {
        self.runs.is_empty() && self.deferred.is_empty() && self.adopting.is_empty()
    }

    fn command(&mut self, now: Moment, command: Command) {
        let find = |lease: &LeaseId| self.by_lease.get(lease).copied();
        match command {
            Command::Run(lease) => {
                self.adopting.insert(id_of(&lease));
                self.outputs.push(Output::Adopt(lease));
            }
            Command::Cancel(lease) => {
                if let Some(run) = find(&lease) {
                    self.step(now, run, Event::Cancel);
                }
            }
            Command::Lost(lease) => match find(&lease) {
                Some(run) => self.lose(now, run),
                None => self.drop_unstarted(&lease),
            },
            Command::Yield(lease) => match find(&lease) {
                Some(run) => {
                    self.step(now, run, Event::Yield);
                    self.finish_if_done(now, run);
                }
                None => self.drop_unstarted(&lease),
            },
            Command::Kill(lease) => {
                if let Some(run) = find(&lease) {
                    self.kill_all(run);
                }
            }
        }
    }

    /// Drops a lease without any started attempt.
    fn drop_unstarted(&mut self, lease: &LeaseId) {
        let before = self.deferred.len();
        self.deferred.retain(|(other, _)| id_of(other) != *lease);
        if self.adopting.remove(lease) || self.deferred.len() < before {
            self.outputs.push(Output::Finished(Finished { lease: lease.clone(), how: Finish::Yielded }));
        }
    }

    /// Starts the run of a lease. An earlier lease of the same agenda is lost, and its attempts end first.
    fn run(&mut self, now: Moment, lease: Box<Lease>, running: Vec<Adopted>) {
        let id = id_of(&lease);
        let earlier: Vec<u64> = self.by_agenda.get(&lease.id).cloned().unwrap_or_default();
        for run in &earlier {
            self.lose(now, *run);
        }
        if self.by_agenda.contains_key(&lease.id) {
            self.deferred.push_back((lease, running));
            return;
        }
        let number = self.next_run;
        self.next_run += 1;
        let running: Vec<(String, u32)> = running.into_iter().map(|a| (a.operation, a.attempt)).collect();
        let from = StartFrom {
            agenda: &lease.id,
            progress: &lease.progress,
            interrupted: lease.interrupted,
            running: &running,
        };
        // A run that cannot be created, or that panics at its start, ends as failed with the reason; the executor goes
        // on.
        let started = catch_unwind(AssertUnwindSafe(|| {
            let mut plan = Plan::new(&lease.agenda)?;
            plan.declare(&self.settings.types);
            Ok(Run::start(plan, &from, now.date))
        }));
        let started = started.unwrap_or_else(|panic| Err(panicked(panic.as_ref(), "a run that begins")));
        let (run, effects, failure) = match started {
            Ok((run, effects)) => (run, effects, None),
            Err(failure) => match Plan::new(&Agenda::default()) {
                Ok(empty) => {
                    let (run, _) = Run::start(empty, &StartFrom { agenda: &lease.id, ..from }, now.date);
                    (run, Vec::new(), Some(failure))
                }
                Err(_) => return,
            },
        };
        let state = if failure.is_some() { LeasedRunState::GivenUp } else { LeasedRunState::Running };
        self.by_lease.insert(id.clone(), number);
        self.by_agenda.entry(lease.id).or_default().push(number);
        self.runs.insert(number, LeasedRun { run, lease: id, live: 0, state });
        if let Some(failure) = failure {
            self.reports.end(number, failed(failure));
        }
        self.perform(now, number, effects);
    }

    /// Gives an event to a run. A run that panics is given up with the evidence, and the other runs go on.
    fn step(&mut self, now: Moment, run: u64, event: Event) {
        let Some(leased) = self.runs.get_mut(&run).filter(|leased| leased.state == LeasedRunState::Running)
        else {
            return;
        };
        let what = event.name();
        #[cfg(test)]
        let planted = self.planted.as_ref() == Some(&leased.lease.id);
        let step = || {
            #[cfg(test)]
            assert!(!planted, "as a test asked for");
            leased.run.step(now.date, event)
        };
        match catch_unwind(AssertUnwindSafe(step)) {
            Ok(effects) => self.perform(now, run, effects),
            Err(panic) => {
                self.give_up(now, run, panicked(panic.as_ref(), what));
            }
        }
    }

    fn perform(&mut self, now: Moment, run: u64, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Launch { op, attempt, payload } => {
                    self.launch(now, AttemptKey { run, op, attempt }, payload);
                }
                Effect::Kill { op, attempt } => self.stop(now, AttemptKey { run, op, attempt }),
                Effect::Report { op, view, commits } => self.reports.operation(run, op, view, commits),
                Effect::Generated { op, operations } => {
                    let Some(leased) = self.runs.get(&run) else { continue };
                    let generator = leased.run.plan().steps[op].name.clone();
                    self.reports.made(run, Made { generator, operations });
                }
                Effect::Timer { op, attempt, kind, after } => {
                    let scaled =
                        || Duration::try_from_secs_f64(after.as_secs_f64() * self.settings.time_scale);
                    let after = if kind == TimerKind::Retry { scaled().unwrap_or(after) } else { after };
                    let at = now.steady.saturating_add(after);
                    self.timers.push(Reverse((at, AttemptKey { run, op, attempt }, code(kind))));
                }
                Effect::End(end) => self.reports.end(run, end),
            }
        }
    }

    fn launch(&mut self, now: Moment, key: AttemptKey, payload: Value) {
        let due = Ledger { ready_at: Some(now.date), ..Ledger::default() };
        self.step(now, key.run, Event::Moments { op: key.op, attempt: key.attempt, ledger: Box::new(due) });
        let Some(leased) = self.runs.get_mut(&key.run) else { return };
        leased.live += 1;
        let plan = leased.run.plan();
        let step = &plan.steps[key.op];
        let launch = Box::new(Launch {
            key,
            agenda: leased.lease.id.clone(),
            epoch: leased.lease.epoch,
            customer: plan.customer.clone(),
            cid: plan.cid.clone(),
            operation: step.name.clone(),
            operation_id: step.id.clone(),
            kind: step.kind.clone(),
            spec: self.settings.spec_of(&step.kind, step.spec.as_ref()),
            fan_out: step.fan_out.clone(),
            resources: step.resources,
            payload,
        });
        let claim = Claim { resources: step.resources, counted: builtin(&launch).is_none() };
        match self.admission.admit(key, claim) {
            admission::Answer::Start => {
                self.live.insert(key, Live { waiting: None });
                self.start(launch);
            }
            admission::Answer::Wait(reason) => {
                self.live.insert(key, Live { waiting: Some(launch) });
                self.step(now, key.run, Event::Waiting { op: key.op, attempt: key.attempt, reason });
            }
            admission::Answer::Never => {
                let failure = too_large(launch.resources, self.settings.capacity.resources);
                self.live.insert(key, Live { waiting: None });
                self.exited(now, key, Err(failure));
            }
        }
    }

    fn start(&mut self, launch: Box<Launch>) {
        let builtin = builtin(&launch);
        self.outputs.push(Output::Launch(launch, builtin));
    }

    /// Stops an attempt. An attempt that has not started ends at once.
    fn stop(&mut self, now: Moment, key: AttemptKey) {
        let Some(live) = self.live.get_mut(&key) else { return };
        if live.waiting.take().is_some() {
            let failure = fail(FailureClass::User, "Stopped", "stopped before the program started");
            return self.exited(now, key, Err(failure));
        }
        self.outputs.push(Output::Terminate(key));
    }

    fn kill_all(&mut self, run: u64) {
        let of_run = self.live.iter().filter(|(key, live)| key.run == run && live.waiting.is_none());
        let killed: Vec<AttemptKey> = of_run.map(|(key, _)| *key).collect();
        self.outputs.extend(killed.into_iter().map(Output::Kill));
    }

    fn signal(&mut self, now: Moment, key: AttemptKey, signal: Signal) {
        let AttemptKey { run, op, attempt } = key;
        match signal {
            Signal::Waiting { reason } => self.step(now, run, Event::Waiting { op, attempt, reason }),
            Signal::Started => self.step(now, run, Event::Started { op, attempt }),
            Signal::Moments(ledger) => self.step(now, run, Event::Moments { op, attempt, ledger }),
            Signal::Progress { percent, message } => {
                self.step(now, run, Event::Progress { op, attempt, percent, message });
            }
            Signal::Log { stream, offset, text } => {
                let running =
                    |leased: &&LeasedRun| leased.state == LeasedRunState::Running && !leased.run.is_over();
                let Some(leased) = self.runs.get(&run).filter(running) else { return };
                let operation = leased.run.plan().steps[op].name.clone();
                self.reports.log(run, LogChunk { operation, attempt, stream: stream.into(), offset, text });
            }
            Signal::Exited(outcome) => self.exited(now, key, outcome),
        }
    }

    fn exited(&mut self, now: Moment, key: AttemptKey, outcome: Result<Value, Failure>) {
        let AttemptKey { run, op, attempt } = key;
        if self.live.remove(&key).is_none() {
            return;
        }
        for next in self.admission.release(&key) {
            if let Some(launch) = self.live.get_mut(&next).and_then(|live| live.waiting.take()) {
                self.start(launch);
            }
        }
        if let Some(leased) = self.runs.get_mut(&run) {
            leased.live -= 1;
        }
        self.step(now, run, Event::Exited { op, attempt, outcome });
        self.finish_if_done(now, run);
    }

    fn fire_timers(&mut self, now: Moment) {
        while self.timers.peek().is_some_and(|Reverse((at, ..))| *at <= now.steady) {
            let Some(Reverse((_, AttemptKey { run, op, attempt }, code))) = self.timers.pop() else { break };
            self.step(now, run, Event::Timer { op, attempt, kind: kind_of(code) });
        }
    }

    /// Sends the waiting reports, after the answer to the last batch and for a reason.
    fn flush(&mut self, now: Moment) {
        if self.reports.is_empty() {
            self.lazy_since = None;
            return;
        }
        let since = *self.lazy_since.get_or_insert(now.steady);
        let due = self.reports.is_urgent() || now.steady >= since + LAZY_FLUSH;
        if !due || self.in_flight.is_some() {
            return;
        }
        self.lazy_since = None;
        let runs = &self.runs;
        let batch = self.reports.take(|run| Some(runs.get(&run)?.lease.clone()));
        let (reports, sent): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        if !reports.is_empty() {
            self.in_flight = Some(sent);
            self.outputs.push(Output::Send(reports));
        }
    }

    fn answered(&mut self, now: Moment, answers: &[Answer]) {
        for (i, sent) in self.in_flight.take().unwrap_or_default().into_iter().enumerate() {
            let run = sent.run;
            match answers.get(i) {
                Some(answer @ (Answer::Accepted | Answer::AcceptedBut(_))) => {
                    for (op, attempt) in sent.commits {
                        if self.was_too_large(run, op, answer) {
                            let failure = delivery::too_large();
                            self.step(now, run, Event::OutputRefused { op, attempt, failure });
                        }
                        self.outputs.push(Output::Settled(AttemptKey { run, op, attempt }));
                        self.step(now, run, Event::Committed { op, attempt });
                    }
                    if sent.end {
                        self.end(now, run);
                    }
                    self.finish_if_done(now, run);
                }
                Some(Answer::Refused(reason)) => {
                    let message = format!(
                        "the server refused a report of this pool: {reason}. Rerun the agenda; if the \
                            failure repeats, report this fault of POP"
                    );
                    self.give_up(now, run, fail(FailureClass::Platform, "ReportRefused", message));
                }
                Some(Answer::Stale) | None => self.lose(now, run),
            }
        }
    }

    /// Whether the operation was reported as failed because of its output's size.
    fn was_too_large(&self, run: u64, op: usize, answer: &Answer) -> bool {
        let Answer::AcceptedBut(names) = answer else { return false };
        self.runs.get(&run).is_some_and(|leased| names.contains(&leased.run.plan().steps[op].name))
    }

    /// Gives a run up: no further result of the run can become durable. The attempts are stopped, and the agenda ends
    /// as failed with the reason. If the server refuses even this report, the run is forgotten and its lease runs out.
    fn give_up(&mut self, now: Moment, run: u64, failure: Failure) {
        let Some(leased) = self.runs.get_mut(&run) else { return };
        if leased.state != LeasedRunState::Running {
            return self.lose(now, run);
        }
        leased.state = LeasedRunState::GivenUp;
        self.stop_all(now, run);
        self.reports.forget(run);
        self.reports.end(run, failed(failure));
    }

    /// Ends a run whose lease is lost: kills its programs and reports nothing.
    fn lose(&mut self, now: Moment, run: u64) {
        self.end(now, run);
        self.kill_all(run);
        self.finish_if_done(now, run);
    }

    /// Stops the reports and the attempts of a run.
    fn end(&mut self, now: Moment, run: u64) {
        let Some(leased) = self.runs.get_mut(&run) else { return };
        leased.state = LeasedRunState::Ending;
        self.reports.forget(run);
        self.stop_all(now, run);
    }

    fn stop_all(&mut self, now: Moment, run: u64) {
        let keys: Vec<AttemptKey> = self.live.keys().filter(|key| key.run == run).copied().collect();
        for key in keys {
            self.stop(now, key);
        }
    }

    /// Finishes a run without attempts and without waiting reports.
    fn finish_if_done(&mut self, now: Moment, run: u64) {
        let Some(leased) = self.runs.get(&run).filter(|leased| leased.live == 0) else { return };
        let how = match leased.state {
            LeasedRunState::Ending => Finish::Ended,
            LeasedRunState::Running
                if leased.run.is_yielding() && leased.run.is_quiet() && !self.is_told(run) =>
            {
                Finish::Yielded
            }
            LeasedRunState::Running | LeasedRunState::GivenUp => return,
        };
        let Some(leased) = self.runs.remove(&run) else { return };
        self.reports.forget(run);
        self.by_lease.remove(&leased.lease);
        let agenda = leased.lease.id.clone();
        if let Some(runs) = self.by_agenda.get_mut(&agenda) {
            runs.retain(|other| *other != run);
            if runs.is_empty() {
                self.by_agenda.remove(&agenda);
                self.outputs.push(Output::Forget(agenda.clone()));
            }
        }
        self.outputs.push(Output::Finished(Finished { lease: leased.lease, how }));
        if let Some(at) = self.deferred.iter().position(|(lease, _)| lease.id == agenda)
            && let Some((lease, running)) = self.deferred.remove(at)
        {
            self.run(now, lease, running);
        }
    }

    /// Whether reports of this run wait or are on their way to the server.
    fn is_told(&self, run: u64) -> bool {
        let in_flight = self.in_flight.iter().flatten().any(|sent| sent.run == run);
        in_flight || self.reports.has(run)
    }
}

fn id_of(lease: &Lease) -> LeaseId {
    LeaseId { id: lease.id.clone(), epoch: lease.epoch }
}

/// The built-in type of an attempt. A run spec under the name of a built-in type overrides that type.
fn builtin(launch: &Launch) -> Option<Builtin> {
    Builtin::find(&launch.kind).filter(|_| launch.spec.is_none())
}

fn code(kind: TimerKind) -> u8 {
    match kind {
        TimerKind::Retry => 0,
        TimerKind::Timeout => 1,
    }
}

fn kind_of(code: u8) -> TimerKind {
    if code == 0 { TimerKind::Retry } else { TimerKind::Timeout }
}

fn failed(failure: Failure) -> AgendaEnd {
    AgendaEnd { state: AgendaState::Failed, outputs: None, failure: Some(failure) }
}

/// The failure of a run whose machine panicked.
fn panicked(panic: &(dyn Any + Send), what: &str) -> Failure {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let message = format!("the run machine panicked ({what}): {text}. Please report this fault of POP");
    fail(FailureClass::Platform, "RunPanicked", message)
}

fn too_large(needs: Resources, total: Resources) -> Failure {
    fail(
        FailureClass::Config,
        "ResourcesUnavailable",
        format!(
            "the operation declares {} millicores and {} bytes of memory, but this pool has {} millicores \
                and {} bytes in all. Lower `resources`, or use a larger machine",
            needs.cpu_millis, needs.memory, total.cpu_millis, total.memory
        ),
    )
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
