//! Drives runs: performs the effects of [`Run`], brings back what the runtime, the timers and the reports make of them.
//! One task owns all runs; everything it does per event is proportional to what the event touches.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pop_sdk::api::{AgendaEnd, AgendaState, Failure, FailureClass, Lease, LogChunk, Made, Report};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::builtin::Builtin;
use super::outbox::{Outbox, Sent};
use super::slots::{Admission, Slots};
use crate::clock::Clock;
use crate::run::{Effect, Event, Needs, Plan, Run, TimerKind, fail};
use crate::runtime::{AttemptKey, Launch, Reporter, Runtime, Signal, Stop};
use pop_compiler::agenda::RunSpec;

/// How long progress and log text may wait for something more urgent to travel with.
const LAZY_FLUSH: Duration = Duration::from_millis(100);
/// How many signals are taken in before reports are looked at again.
const BURST: usize = 4096;

/// Where reports go. Returns when every report is durable or refused; a link that is down keeps trying.
pub trait Uplink: Send + Sync + 'static {
    /// Sends a batch; the answers are in the same order.
    fn report(&self, reports: Vec<Report>) -> Pin<Box<dyn Future<Output = Vec<Answer>> + Send + '_>>;
}

/// What came of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is durable.
    Accepted,
    /// The lease is somebody else's now.
    Stale,
    /// It will never be taken in, for this reason.
    Refused(String),
}

/// What an executor can be told.
#[derive(Debug)]
pub enum Command {
    /// Run this agenda.
    Run(Box<Lease>),
    /// End it, then report the end.
    Cancel(String),
    /// It is somebody else's: end it and say nothing.
    Lost(String),
}

/// What an executor says: the agendas that are over, one way or another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over(pub String);

/// Settings of an executor.
#[derive(Clone, Debug)]
pub struct Config {
    /// Room for operations that declare what they need.
    pub room: Needs,
    /// Multiplies the sleeps of the built-in types.
    pub time_scale: f64,
    /// How types run that agendas name without saying how (the pool's own catalog); these win.
    pub types: HashMap<String, Arc<RunSpec>>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

/// Runs until the commands end and every run is over, or until `abandon` is cancelled (running programs are then stopped
/// and nothing more is reported: the next start goes on from what is durable).
pub async fn drive(
    config: Config,
    runtime: Arc<dyn Runtime>,
    uplink: Arc<dyn Uplink>,
    mut commands: mpsc::Receiver<Command>,
    over: mpsc::UnboundedSender<Over>,
    abandon: CancellationToken,
) {
    let (signals_in, mut signals) = mpsc::unbounded_channel();
    let mut executor = Executor::new(config, runtime, signals_in, over);
    let mut in_flight: Option<InFlight> = None;
    let mut lazy_since: Option<tokio::time::Instant> = None;
    let mut open = true;
    while open || !executor.runs.is_empty() {
        if in_flight.is_none() && executor.outbox_is_due(&mut lazy_since) {
            in_flight = executor.send(&uplink);
        }
        let wake = executor.next_wake(lazy_since);
        tokio::select! {
            biased;
            () = abandon.cancelled() => break,
            answers = landed(&mut in_flight) => {
                if let Some(flight) = in_flight.take() {
                    executor.answered(flight.sent, &answers);
                }
            }
            Some((key, signal)) = signals.recv() => {
                executor.signal(key, signal);
                for _ in 0..BURST {
                    let Ok((key, signal)) = signals.try_recv() else { break };
                    executor.signal(key, signal);
                }
            }
            command = commands.recv(), if open => match command {
                Some(command) => executor.command(command),
                None => open = false,
            },
            () = sleep_until(wake) => executor.fire_timers(),
        }
    }
    executor.stop_all();
    // Programs get their time to save; none outlives this function.
    executor.runtime.idle().await;
}

struct InFlight {
    answers: Pin<Box<dyn Future<Output = Vec<Answer>> + Send>>,
    sent: Vec<Sent>,
}

async fn landed(in_flight: &mut Option<InFlight>) -> Vec<Answer> {
    match in_flight {
        Some(flight) => flight.answers.as_mut().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(wake: Option<tokio::time::Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

struct Executor {
    config: Config,
    runtime: Arc<dyn Runtime>,
    signals: mpsc::UnboundedSender<(AttemptKey, Signal)>,
    over: mpsc::UnboundedSender<Over>,
    runs: HashMap<u64, Held>,
    by_agenda: HashMap<String, u64>,
    next_run: u64,
    slots: Slots<AttemptKey>,
    live: HashMap<AttemptKey, Live>,
    outbox: Outbox,
    timers: BinaryHeap<Reverse<(Timestamp, AttemptKey, TimerKey)>>,
}

/// A run and its lease.
struct Held {
    run: Run,
    epoch: u64,
    /// The server refused what it had to report; it ends with that.
    given_up: bool,
}

/// An attempt that was launched (or waits for room).
struct Live {
    stop: Stop,
    needs: Needs,
    /// Still to be started: it waits for room.
    waiting: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TimerKey {
    Retry,
    Timeout,
}

impl Executor {
    fn new(
        config: Config,
        runtime: Arc<dyn Runtime>,
        signals: mpsc::UnboundedSender<(AttemptKey, Signal)>,
        over: mpsc::UnboundedSender<Over>,
    ) -> Self {
        let slots = Slots::new(config.room);
        Self {
            config,
            runtime,
            signals,
            over,
            runs: HashMap::new(),
            by_agenda: HashMap::new(),
            next_run: 0,
            slots,
            live: HashMap::new(),
            outbox: Outbox::default(),
            timers: BinaryHeap::new(),
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Run(lease) => self.begin(*lease),
            Command::Cancel(agenda) => {
                if let Some(&run) = self.by_agenda.get(&agenda) {
                    self.step(run, Event::Cancel);
                }
            }
            Command::Lost(agenda) => {
                if let Some(&run) = self.by_agenda.get(&agenda) {
                    self.lose(run);
                }
            }
        }
    }

    fn begin(&mut self, lease: Lease) {
        if let Some(&old) = self.by_agenda.get(&lease.id) {
            self.lose(old);
        }
        let number = self.next_run;
        self.next_run += 1;
        let plan = match Plan::new(&lease.agenda) {
            Ok(plan) => plan,
            Err(failure) => {
                self.refuse(number, lease, failure);
                return;
            }
        };
        let (run, effects) = Run::start(plan, &lease.id, &lease.progress, self.config.clock.now());
        self.by_agenda.insert(lease.id, number);
        self.runs.insert(number, Held { run, epoch: lease.epoch, given_up: false });
        self.perform(number, effects);
    }

    /// An agenda that can't be run at all ends as failed, with the reason; the executor lives.
    fn refuse(&mut self, number: u64, lease: Lease, failure: Failure) {
        let empty = Plan::new(&pop_compiler::agenda::Agenda::default());
        let Ok(empty) = empty else { return };
        let (run, _) = Run::start(empty, &lease.id, &[], self.config.clock.now());
        self.by_agenda.insert(lease.id, number);
        self.runs.insert(number, Held { run, epoch: lease.epoch, given_up: false });
        self.outbox.end(number, failed(failure));
    }

    fn step(&mut self, run: u64, event: Event) {
        if let Some(held) = self.runs.get_mut(&run) {
            let effects = held.run.step(self.config.clock.now(), event);
            self.perform(run, effects);
        }
    }

    fn perform(&mut self, run: u64, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Launch { op, attempt, payload } => {
                    self.launch(AttemptKey { run, op, attempt }, payload);
                }
                Effect::Kill { op, attempt } => self.kill(AttemptKey { run, op, attempt }),
                Effect::Report { op, view } => self.outbox.operation(run, op, view),
                Effect::Made { op, operations } => {
                    let Some(held) = self.runs.get(&run) else { continue };
                    let generator = held.run.plan().steps[op].name.clone();
                    self.outbox.made(run, Made { generator, operations });
                }
                Effect::Timer { op, attempt, kind, at } => {
                    let kind = match kind {
                        TimerKind::Retry => TimerKey::Retry,
                        TimerKind::Timeout => TimerKey::Timeout,
                    };
                    self.timers.push(Reverse((at, AttemptKey { run, op, attempt }, kind)));
                }
                Effect::End(end) => self.outbox.end(run, end),
            }
        }
    }

    fn launch(&mut self, key: AttemptKey, payload: Value) {
        let Some(held) = self.runs.get(&key.run) else { return };
        let needs = held.run.plan().steps[key.op].needs;
        let stop = Stop::default();
        match self.slots.admit(needs, key) {
            Admission::Start(_) => {
                self.live.insert(key, Live { stop, needs, waiting: None });
                self.start(key, payload);
            }
            Admission::Wait => {
                self.live.insert(key, Live { stop, needs, waiting: Some(payload) });
            }
            Admission::Never(_) => {
                let failure = too_large(needs, self.slots.total());
                self.live.insert(key, Live { stop, needs: Needs::default(), waiting: None });
                self.send_signal(key, Signal::Exited(Err(failure)));
            }
        }
    }

    fn start(&mut self, key: AttemptKey, payload: Value) {
        let (Some(held), Some(live)) = (self.runs.get(&key.run), self.live.get(&key)) else { return };
        let step = &held.run.plan().steps[key.op];
        let launch = Launch {
            key,
            agenda: held.run.agenda().to_owned(),
            epoch: held.epoch,
            resources: step.needs,
            customer: held.run.plan().customer.clone(),
            cid: held.run.plan().cid.clone(),
            operation: step.name.clone(),
            operation_id: step.id.clone(),
            kind: step.kind.clone(),
            spec: self.config.types.get(&step.kind).or(step.spec.as_ref()).cloned(),
            fan_out: step.fan_out.clone(),
            payload,
        };
        let reporter = Reporter::new(key, self.signals.clone());
        // A catalog may say how to run even a built-in type's name; then it is not the built-in one.
        match Builtin::find(&launch.kind).filter(|_| launch.spec.is_none()) {
            Some(builtin) => builtin.launch(launch, self.config.time_scale, reporter, live.stop.clone()),
            None => self.runtime.launch(launch, reporter, live.stop.clone()),
        }
    }

    fn kill(&mut self, key: AttemptKey) {
        let Some(live) = self.live.get_mut(&key) else { return };
        live.stop.terminate();
        if live.waiting.take().is_some() {
            self.slots.forget(&key);
            live.needs = Needs::default();
            let failure = fail(FailureClass::User, "Stopped", "stopped before it had started");
            self.send_signal(key, Signal::Exited(Err(failure)));
        }
    }

    fn send_signal(&self, key: AttemptKey, signal: Signal) {
        Reporter::new(key, self.signals.clone()).send(signal);
    }

    fn signal(&mut self, key: AttemptKey, signal: Signal) {
        let AttemptKey { run, op, attempt } = key;
        match signal {
            Signal::Waiting { .. } => {}
            Signal::Started => self.step(run, Event::Started { op, attempt }),
            Signal::Progress { percent, message } => {
                self.step(run, Event::Progress { op, attempt, percent, message });
            }
            Signal::Log { stream, offset, text } => {
                let Some(held) = self.runs.get(&run) else { return };
                if !held.run.is_over() {
                    let operation = held.run.plan().steps[op].name.clone();
                    self.outbox
                        .log(run, LogChunk { operation, attempt, stream: stream.into(), offset, text });
                }
            }
            Signal::Exited(outcome) => {
                if let Some(live) = self.live.remove(&key) {
                    for next in self.slots.release(live.needs) {
                        self.resume(next);
                    }
                }
                self.step(run, Event::Exited { op, attempt, outcome });
            }
        }
    }

    /// Room has become free for one that waited.
    fn resume(&mut self, key: AttemptKey) {
        if let Some(payload) = self.live.get_mut(&key).and_then(|live| live.waiting.take()) {
            self.start(key, payload);
        }
    }

    fn outbox_is_due(&self, lazy_since: &mut Option<tokio::time::Instant>) -> bool {
        if self.outbox.is_empty() {
            *lazy_since = None;
            return false;
        }
        let since = *lazy_since.get_or_insert_with(tokio::time::Instant::now);
        let due = self.outbox.is_urgent() || since.elapsed() >= LAZY_FLUSH;
        if due {
            *lazy_since = None;
        }
        due
    }

    fn send(&mut self, uplink: &Arc<dyn Uplink>) -> Option<InFlight> {
        let runs = &self.runs;
        let lease = |run: u64| runs.get(&run).map(|held| (held.run.agenda().to_owned(), held.epoch));
        let (reports, sent): (Vec<_>, Vec<_>) = self.outbox.take(lease).into_iter().unzip();
        if reports.is_empty() {
            return None;
        }
        let uplink = Arc::clone(uplink);
        let answers = Box::pin(async move { uplink.report(reports).await });
        Some(InFlight { answers, sent })
    }

    fn answered(&mut self, sent: Vec<Sent>, answers: &[Answer]) {
        for (i, part) in sent.into_iter().enumerate() {
            match answers.get(i) {
                Some(Answer::Accepted) => {
                    for (op, attempt) in part.ends {
                        self.step(part.run, Event::Committed { op, attempt });
                    }
                    if part.end {
                        self.finish(part.run);
                    }
                }
                Some(Answer::Refused(reason)) => self.give_up(part.run, reason),
                Some(Answer::Stale) | None => self.lose(part.run),
            }
        }
    }

    /// The server will never take in what this run has reported, so nothing that follows from it can become durable. Its
    /// programs are stopped, and the agenda ends as failed with the server's word. Should the server refuse even that,
    /// the run is forgotten and its lease runs out.
    fn give_up(&mut self, run: u64, reason: &str) {
        self.step(run, Event::LeaseLost);
        self.outbox.forget(run);
        match self.runs.get_mut(&run) {
            Some(held) if !held.given_up => held.given_up = true,
            _ => return self.finish(run),
        }
        let message = format!("the server refused what the pool had to report: {reason}");
        self.outbox.end(run, failed(fail(FailureClass::Platform, "ReportRefused", message)));
    }

    fn lose(&mut self, run: u64) {
        self.step(run, Event::LeaseLost);
        self.finish(run);
    }

    fn finish(&mut self, run: u64) {
        let Some(held) = self.runs.remove(&run) else { return };
        self.outbox.forget(run);
        let agenda = held.run.agenda().to_owned();
        if self.by_agenda.get(&agenda) == Some(&run) {
            self.by_agenda.remove(&agenda);
        }
        self.runtime.forget(&agenda);
        let _ = self.over.send(Over(agenda));
    }

    fn next_wake(&self, lazy_since: Option<tokio::time::Instant>) -> Option<tokio::time::Instant> {
        let timer = self.timers.peek().map(|Reverse((at, ..))| self.config.clock.instant_of(*at));
        let lazy = lazy_since.map(|since| since + LAZY_FLUSH);
        timer.into_iter().chain(lazy).min()
    }

    fn fire_timers(&mut self) {
        let now = self.config.clock.now();
        while self.timers.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            let Some(Reverse((_, AttemptKey { run, op, attempt }, kind))) = self.timers.pop() else { break };
            let kind = match kind {
                TimerKey::Retry => TimerKind::Retry,
                TimerKey::Timeout => TimerKind::Timeout,
            };
            self.step(run, Event::Timer { op, attempt, kind });
        }
    }

    fn stop_all(&mut self) {
        for live in self.live.values() {
            live.stop.terminate();
        }
    }
}

fn failed(failure: Failure) -> AgendaEnd {
    AgendaEnd { state: AgendaState::Failed, outputs: None, failure: Some(failure) }
}

fn too_large(needs: Needs, total: Needs) -> Failure {
    fail(
        FailureClass::Config,
        "ResourcesUnavailable",
        format!(
            "it asks for {} millicores and {} bytes of memory, but this pool has {} millicores and {} bytes in all; lower `resources` or use a larger machine",
            needs.cpu_millis, needs.memory, total.cpu_millis, total.memory
        ),
    )
}
