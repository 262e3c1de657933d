//! Performs the decisions of the executor's state: launches, stops, sends, waits. One task owns the state. Runtimes
//! start programs on threads of their own, so the task never blocks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use pop_compiler::agenda::RunSpec;
use pop_sdk::api::{FailureClass, Lease, Report};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::state::{Command, Executor, Finished, Input, Moment, Output, Settings};
use crate::env::Clock;
use crate::pool::delivery::{self, Answer};
use crate::pool::fence::Fence;
use crate::pool::port::ReportPort;
use crate::run::fail;
use crate::runtime::{Adopted, AttemptKey, Pending, Reporter, Runtime, Signal, Stop};

/// Number of signals that the task takes before it looks at reports again.
const BURST: usize = 4096;

/// Settings of an executor.
#[derive(Clone, Debug)]
pub struct Config {
    /// Factor for the sleeps of built-in types and for the delays of retries.
    pub time_scale: f64,
    /// Run specs of the pool's own catalog, by operation type; they override those of an agenda.
    pub types: HashMap<String, Arc<RunSpec>>,
    /// Longest time of a request with reports until its answer.
    pub report_limit: Duration,
    /// Source of the time.
    pub clock: Arc<dyn Clock>,
}

/// Runs until the commands end and every lease is finished, or until `abandon` is cancelled. Then the executor kills
/// its programs and reports nothing more, because the next start continues from the durable state. Attempts that
/// outlive this process go on.
pub async fn drive(
    config: Config,
    runtime: Arc<dyn Runtime>,
    port: Arc<dyn ReportPort>,
    fence: Arc<Fence>,
    mut commands: mpsc::UnboundedReceiver<Command>,
    finished: mpsc::UnboundedSender<Finished>,
    abandon: CancellationToken,
) {
    let settings =
        Settings { types: config.types.clone(), time_scale: config.time_scale, capacity: runtime.capacity() };
    let (signals_in, mut signals) = mpsc::unbounded_channel();
    let (adopted_in, mut adopted) = mpsc::unbounded_channel();
    let mut driver = Driver {
        state: Executor::new(settings),
        started: Instant::now(),
        stops: HashMap::new(),
        sending: None,
        config,
        runtime,
        port,
        fence,
        finished,
        signals: signals_in,
        adopted: adopted_in,
    };
    let mut open = true;
    while open || !driver.state.is_idle() {
        let wake = driver.state.next_wake();
        tokio::select! {
            biased;
            () = abandon.cancelled() => break,
            answers = arrived(&mut driver.sending) => {
                driver.sending = None;
                driver.input(Input::Answered(answers));
            }
            command = commands.recv(), if open => match command {
                Some(command) => driver.input(Input::Command(command)),
                None => open = false,
            },
            Some((lease, running)) = adopted.recv() => driver.input(Input::Run(lease, running)),
            Some(first) = signals.recv() => {
                let more = std::iter::from_fn(|| signals.try_recv().ok());
                let burst: Vec<(AttemptKey, Signal)> = std::iter::once(first).chain(more).take(BURST).collect();
                driver.burst(burst);
            }
            () = at(driver.started, wake) => driver.input(Input::Tick),
        }
    }
    if driver.runtime.outlives() && !driver.state.is_idle() {
        // The next start of the agent takes the attempts over.
        return;
    }
    for stop in driver.stops.values() {
        stop.kill();
    }
    driver.runtime.idle().await;
}

struct Driver {
    state: Executor,
    started: Instant,
    config: Config,
    runtime: Arc<dyn Runtime>,
    port: Arc<dyn ReportPort>,
    fence: Arc<Fence>,
    finished: mpsc::UnboundedSender<Finished>,
    signals: mpsc::UnboundedSender<(AttemptKey, Signal)>,
    adopted: mpsc::UnboundedSender<(Box<Lease>, Vec<Adopted>)>,
    stops: HashMap<AttemptKey, Stop>,
    sending: Option<Pending<'static, Vec<Answer>>>,
}

impl Driver {
    fn now(&self) -> Moment {
        Moment { date: self.config.clock.now(), steady: self.started.elapsed() }
    }

    fn input(&mut self, input: Input) {
        let now = self.now();
        self.state.take_in(now, input);
        self.flush(now);
    }

    fn burst(&mut self, burst: Vec<(AttemptKey, Signal)>) {
        let now = self.now();
        for (key, signal) in burst {
            if matches!(signal, Signal::Exited(_)) {
                self.stops.remove(&key);
            }
            self.state.take_in(now, Input::Signal(key, signal));
        }
        self.flush(now);
    }

    /// Performs the outputs of all inputs. Reports go out before attempts start.
    fn flush(&mut self, now: Moment) {
        let mut outputs = self.state.on(now, Input::Flush);
        if let Some(Output::Send(_)) = outputs.last()
            && let Some(send) = outputs.pop()
        {
            self.perform(vec![send]);
        }
        self.perform(outputs);
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Adopt(lease) => self.adopt(lease),
                Output::Launch(launch, _) if self.fence.has_passed() => {
                    let why = "the lease was not renewed in time, so the program was not started";
                    let outcome = Err(fail(FailureClass::Infra, "LeaseDoubtful", why));
                    let _ = self.signals.send((launch.key, Signal::Exited(outcome)));
                }
                Output::Launch(launch, builtin) => {
                    let stop = Stop::default();
                    let reporter = Reporter::new(launch.key, self.signals.clone());
                    self.stops.insert(launch.key, stop.clone());
                    match builtin {
                        Some(builtin) => {
                            let programs = !self.runtime.outlives();
                            builtin.launch(*launch, self.config.time_scale, programs, reporter, stop);
                        }
                        None => self.runtime.launch(*launch, reporter, stop),
                    }
                }
                Output::Terminate(key) => {
                    self.stops.get(&key).inspect(|stop| stop.terminate());
                }
                Output::Kill(key) => {
                    self.stops.get(&key).inspect(|stop| stop.kill());
                }
                Output::Settled(key) => self.runtime.settled(key),
                Output::Forget(agenda) => self.runtime.forget(&agenda),
                Output::Send(reports) => self.send(reports),
                Output::Finished(finished) => {
                    // The agent may have gone.
                    let _ = self.finished.send(finished);
                }
            }
        }
    }

    fn adopt(&mut self, lease: Box<Lease>) {
        let (runtime, id) = (Arc::clone(&self.runtime), lease.id.clone());
        let customer = lease.agenda.customer_id.clone();
        let mut look = Box::pin(async move { runtime.adopt(&id, customer.as_deref()).await });
        // A runtime without leftovers answers at once.
        if let Some(running) = (&mut look).now_or_never() {
            return self.input(Input::Run(lease, running));
        }
        let adopted = self.adopted.clone();
        tokio::spawn(async move {
            let _ = adopted.send((lease, look.await));
        });
    }

    fn send(&mut self, reports: Vec<Report>) {
        let port = Arc::clone(&self.port);
        self.sending = Some(Box::pin(delivery::deliver(port, self.config.report_limit, reports)));
    }
}

async fn at(started: Instant, wake: Option<Duration>) {
    match wake {
        Some(after) => tokio::time::sleep_until(started + after).await,
        None => std::future::pending().await,
    }
}

async fn arrived(sending: &mut Option<Pending<'static, Vec<Answer>>>) -> Vec<Answer> {
    match sending {
        Some(answers) => answers.await,
        None => std::future::pending().await,
    }
}
