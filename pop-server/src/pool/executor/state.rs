//! What an executor knows and decides, without a clock, a runtime or a server: inputs and the time come in, outputs come
//! out. Each lease has its run; attempts wait for admission; reports are gathered and sent one batch at a time.

use std::any::Any;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pop_compiler::agenda::{Agenda, RunSpec};
use pop_sdk::api::{AgendaEnd, AgendaState, Failure, FailureClass, Lease, LeaseId, LogChunk, Made, Report};
use serde_json::Value;

use crate::pool::admission::{self, Admission, Claim};
use crate::pool::builtin::Builtin;
use crate::pool::delivery::{self, Answer};
use crate::pool::reports::{ReportQueue, Sent};
use crate::run::{Effect, Event, Plan, Resources, Run, StartFrom, TimerKind, fail};
use crate::runtime::{Adopted, AttemptKey, Capacity, Launch, Signal};

/// How long progress and log text may wait for something more urgent to travel with.
const LAZY_FLUSH: Duration = Duration::from_millis(100);

/// A moment: as people date it, and by a clock that never steps (since an arbitrary start).
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) date: Timestamp,
    pub(super) steady: Duration,
}

/// What an executor can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Run this agenda.
    Run(Box<Lease>),
    /// End it, then report the end.
    Cancel(LeaseId),
    /// It is somebody else's: end it at once and say nothing.
    Lost(LeaseId),
    /// Stop what runs and report what it came to, so that the lease can be given back.
    Yield(LeaseId),
    /// What still runs of it is killed.
    Kill(LeaseId),
}

/// A lease is over, and nothing of it runs any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Which.
    pub lease: LeaseId,
    /// How.
    pub how: Finish,
}

/// How a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Its end is durable, or the lease is no longer the agent's.
    Over,
    /// It is to be given back.
    Yielded,
}

/// What comes in.
#[derive(Debug)]
pub(super) enum Input {
    Command(Command),
    /// A lease, and what of it still runs.
    Run(Box<Lease>, Vec<Adopted>),
    Signal(AttemptKey, Signal),
    /// The answers to the batch that was sent.
    Answered(Vec<Answer>),
    /// Time has passed.
    Tick,
    /// Everything that was at hand has come in.
    Flush,
}

/// What goes out.
#[derive(Debug)]
pub(super) enum Output {
    /// Find out what still runs of this lease, then bring [`Input::Run`].
    Adopt(Box<Lease>),
    Launch(Box<Launch>, Option<Builtin>),
    Terminate(AttemptKey),
    Kill(AttemptKey),
    /// The outcome of an attempt is durable, or will never be wanted.
    Settled(AttemptKey),
    /// Nothing of an agenda runs any more.
    Forget(String),
    Send(Vec<Report>),
    Finished(Finished),
}

/// How runs are run.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// How types run that agendas name without saying how (the pool's own catalog); these win.
    pub(super) types: HashMap<String, Arc<RunSpec>>,
    /// Multiplies the delays before retries.
    pub(super) time_scale: f64,
    pub(super) capacity: Capacity,
}

impl Settings {
    /// How a type is run. The pool's word counts, but what an agenda declares as secret stays so, and so does what it
    /// declares as output.
    fn spec_of(&self, kind: &str, agendas: Option<&Arc<RunSpec>>) -> Option<Arc<RunSpec>> {
        match (self.types.get(kind), agendas) {
            // the usual case copies nothing
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

/// Everything.
#[derive(Debug)]
pub(super) struct Executor {
    settings: Settings,
    runs: HashMap<u64, Held>,
    by_lease: HashMap<LeaseId, u64>,
    /// The run of each agenda that goes on; an earlier lease of it may still be ending.
    by_agenda: HashMap<String, Vec<u64>>,
    /// Leases of which it is not yet known what still runs.
    adopting: HashSet<LeaseId>,
    /// Leases of agendas whose earlier lease is still ending here.
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
struct Held {
    run: Run,
    lease: LeaseId,
    /// Attempts that were launched and have not ended.
    live: usize,
    state: HeldState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeldState {
    Running,
    /// What it had to report was refused, or its machine panicked: it ends with that.
    GivenUp,
    /// Nothing is to be reported; it is over when nothing of it runs.
    Ending,
}

/// An attempt that was launched, or waits for admission.
#[derive(Debug)]
struct Live {
    /// Still to be started.
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

    /// Takes one input in. Total: what does not fit the state has no effect.
    pub(super) fn on(&mut self, now: Moment, input: Input) -> Vec<Output> {
        self.take_in(now, input);
        std::mem::take(&mut self.outputs)
    }

    /// Takes one of many inputs in; what goes out comes with the next [`on`](Self::on).
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

    /// When [`Input::Tick`] or [`Input::Flush`] has something to do.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        let timer = self.timers.peek().map(|Reverse((at, ..))| *at);
        let lazy = self.lazy_since.filter(|_| self.in_flight.is_none()).map(|since| since + LAZY_FLUSH);
        timer.into_iter().chain(lazy).min()
    }

    /// Whether it has nothing to do.
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

    /// Forgets a lease of which nothing was started here.
    fn drop_unstarted(&mut self, lease: &LeaseId) {
        let before = self.deferred.len();
        self.deferred.retain(|(other, _)| id_of(other) != *lease);
        if self.adopting.remove(lease) || self.deferred.len() < before {
            self.outputs.push(Output::Finished(Finished { lease: lease.clone(), how: Finish::Yielded }));
        }
    }

    /// A lease begins. Another lease of the same agenda that is still here is lost by that, and its attempts end first.
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
        // A run that can't be made, or that panics as it is made, ends as failed with the reason; the executor lives.
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
        let state = if failure.is_some() { HeldState::GivenUp } else { HeldState::Running };
        self.by_lease.insert(id.clone(), number);
        self.by_agenda.entry(lease.id).or_default().push(number);
        self.runs.insert(number, Held { run, lease: id, live: 0, state });
        if let Some(failure) = failure {
            self.reports.end(number, failed(failure));
        }
        self.perform(now, number, effects);
    }

    /// Lets something happen to a run. One that panics is given up with its evidence, and the others go on.
    fn step(&mut self, now: Moment, run: u64, event: Event) {
        let Some(held) = self.runs.get_mut(&run).filter(|held| held.state == HeldState::Running) else {
            return;
        };
        let what = event.name();
        #[cfg(test)]
        let planted = self.planted.as_ref() == Some(&held.lease.id);
        let step = || {
            #[cfg(test)]
            assert!(!planted, "as a test asked for");
            held.run.step(now.date, event)
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
                    let Some(held) = self.runs.get(&run) else { continue };
                    let generator = held.run.plan().steps[op].name.clone();
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
        let Some(held) = self.runs.get_mut(&key.run) else { return };
        held.live += 1;
        let plan = held.run.plan();
        let step = &plan.steps[key.op];
        let launch = Box::new(Launch {
            key,
            agenda: held.lease.id.clone(),
            epoch: held.lease.epoch,
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

    /// Asks an attempt to end; one that has not started has ended by that.
    fn stop(&mut self, now: Moment, key: AttemptKey) {
        let Some(live) = self.live.get_mut(&key) else { return };
        if live.waiting.take().is_some() {
            let failure = fail(FailureClass::User, "Stopped", "stopped before it had started");
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
            Signal::Progress { percent, message } => {
                self.step(now, run, Event::Progress { op, attempt, percent, message });
            }
            Signal::Log { stream, offset, text } => {
                let running = |held: &&Held| held.state == HeldState::Running && !held.run.is_over();
                let Some(held) = self.runs.get(&run).filter(running) else { return };
                let operation = held.run.plan().steps[op].name.clone();
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
        if let Some(held) = self.runs.get_mut(&run) {
            held.live -= 1;
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

    /// Sends what waits, once the batch before it has been answered and there is a reason to send.
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
                        "the server refused a report of this pool: {reason}. Run the agenda again, and report this \
                         fault if it happens again"
                    );
                    self.give_up(now, run, fail(FailureClass::Platform, "ReportRefused", message));
                }
                Some(Answer::Stale) | None => self.lose(now, run),
            }
        }
    }

    /// Whether an operation was reported as failed because its output is more than the server takes.
    fn was_too_large(&self, run: u64, op: usize, answer: &Answer) -> bool {
        let Answer::AcceptedBut(names) = answer else { return false };
        self.runs.get(&run).is_some_and(|held| names.contains(&held.run.plan().steps[op].name))
    }

    /// Nothing that follows from what this run has done can become durable. Its attempts are stopped, and the agenda ends as
    /// failed with the reason. Should the server refuse even that, the run is forgotten and its lease runs out.
    fn give_up(&mut self, now: Moment, run: u64, failure: Failure) {
        let Some(held) = self.runs.get_mut(&run) else { return };
        if held.state != HeldState::Running {
            return self.lose(now, run);
        }
        held.state = HeldState::GivenUp;
        self.stop_all(now, run);
        self.reports.forget(run);
        self.reports.end(run, failed(failure));
    }

    /// The lease is somebody else's: what runs is killed, and nothing is said.
    fn lose(&mut self, now: Moment, run: u64) {
        self.end(now, run);
        self.kill_all(run);
        self.finish_if_done(now, run);
    }

    /// Nothing more is to be reported.
    fn end(&mut self, now: Moment, run: u64) {
        let Some(held) = self.runs.get_mut(&run) else { return };
        held.state = HeldState::Ending;
        self.reports.forget(run);
        self.stop_all(now, run);
    }

    fn stop_all(&mut self, now: Moment, run: u64) {
        let keys: Vec<AttemptKey> = self.live.keys().filter(|key| key.run == run).copied().collect();
        for key in keys {
            self.stop(now, key);
        }
    }

    /// Lets a lease go of which nothing runs and nothing is to be reported.
    fn finish_if_done(&mut self, now: Moment, run: u64) {
        let Some(held) = self.runs.get(&run).filter(|held| held.live == 0) else { return };
        let how = match held.state {
            HeldState::Ending => Finish::Over,
            HeldState::Running if held.run.is_yielding() && held.run.is_quiet() && !self.is_told(run) => {
                Finish::Yielded
            }
            HeldState::Running | HeldState::GivenUp => return,
        };
        let Some(held) = self.runs.remove(&run) else { return };
        self.reports.forget(run);
        self.by_lease.remove(&held.lease);
        let agenda = held.lease.id.clone();
        if let Some(runs) = self.by_agenda.get_mut(&agenda) {
            runs.retain(|other| *other != run);
            if runs.is_empty() {
                self.by_agenda.remove(&agenda);
                self.outputs.push(Output::Forget(agenda.clone()));
            }
        }
        self.outputs.push(Output::Finished(Finished { lease: held.lease, how }));
        if let Some(at) = self.deferred.iter().position(|(lease, _)| lease.id == agenda)
            && let Some((lease, running)) = self.deferred.remove(at)
        {
            self.run(now, lease, running);
        }
    }

    /// Whether something of this run is on its way to the server, or waits to be.
    fn is_told(&self, run: u64) -> bool {
        let in_flight = self.in_flight.iter().flatten().any(|sent| sent.run == run);
        in_flight || self.reports.has(run)
    }
}

fn id_of(lease: &Lease) -> LeaseId {
    LeaseId { id: lease.id.clone(), epoch: lease.epoch }
}

/// The built-in type that an attempt is of. A catalog may say how to run even a built-in type's name; then it is not the
/// built-in one.
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

/// What is told of a run whose machine panicked.
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
            "it asks for {} millicores and {} bytes of memory, but this pool has {} millicores and {} bytes in all; lower `resources` or use a larger machine",
            needs.cpu_millis, needs.memory, total.cpu_millis, total.memory
        ),
    )
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
