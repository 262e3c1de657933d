//! The thread that drives the core: it takes all commands that wait, applies them, commits their writes in one
//! transaction, and only then lets replies and effects out. Decisions live in the core, SQL in the store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::pause::Pauses;
use super::{Health, Hub, ServerError};
use crate::clock::Clock;
use crate::core::command::{Command, Effect, Refusal, Reply};
use crate::core::record::Write;
use crate::core::{Core, Settings};
use crate::store::{Fence, Store, StoreError};

/// Commands that may wait; more make their callers wait.
const BACKLOG: usize = 4096;
/// Commands that go into one transaction at most.
const BATCH: usize = 1024;
/// Between two attempts to load the state while the database fails.
const RELOAD_EVERY: Duration = Duration::from_millis(500);

/// The longest sleep while there are leases.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriterError {
    /// The core said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed; nothing of the command has happened.
    #[error("the database can't store anything at the moment; try again")]
    Unavailable,
    /// The command made the core panic; nothing of it has happened.
    #[error("the server made a mistake with this request")]
    Broken,
    /// The server stops.
    #[error("the server is stopping")]
    Stopped,
}

type Answer = Result<Reply, WriterError>;

struct Call {
    command: Command,
    answer: oneshot::Sender<Answer>,
}

/// A handle to the thread; it ends with its last handle.
#[derive(Clone, Debug)]
pub struct Writer(mpsc::Sender<Call>);

impl Writer {
    /// Loads the core and starts its thread.
    pub(super) fn start(
        settings: Settings,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        hub: Arc<Hub>,
        health: Arc<Health>,
    ) -> Result<(Self, JoinHandle<()>), ServerError> {
        // Whatever is loaded after the claim, nobody else changes.
        let fence = store.claim().map_err(ServerError::Store)?;
        let snapshot = store.load().map_err(ServerError::Store)?;
        let core = Core::load(settings, snapshot, clock.now());
        let timers = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(ServerError::Thread)?;
        let (sender, calls) = mpsc::channel(BACKLOG);
        let pauses = Pauses::new(clock.now(), clock.monotonic());
        let mut thread =
            Thread { settings, store, fence, clock, hub, health, core: Some(core), calls, pauses };
        let handle = std::thread::Builder::new()
            .name("pop-writer".to_owned())
            .spawn(move || {
                // Nothing in it may end unseen, whatever the cause.
                if catch_unwind(AssertUnwindSafe(|| thread.run(&timers))).is_err() {
                    thread.health.has_failed("its writer thread panicked");
                }
            })
            .map_err(ServerError::Thread)?;
        Ok((Self(sender), handle))
    }

    /// Carries out a command; when this returns, its writes are durable.
    pub async fn call(&self, command: Command) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.send(Call { command, answer }).await.map_err(|_| WriterError::Stopped)?;
        // No answer: what became of it is not known, or the thread is gone.
        answered
            .await
            .map_err(|_| if self.0.is_closed() { WriterError::Stopped } else { WriterError::Unavailable })?
    }
}

struct Thread {
    settings: Settings,
    store: Arc<dyn Store>,
    /// It is never claimed again: a server that has lost it ends.
    fence: Fence,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
    health: Arc<Health>,
    /// None: what is in memory may be ahead of what is stored, and must be loaded again.
    core: Option<Core>,
    calls: mpsc::Receiver<Call>,
    pauses: Pauses,
}

/// What woke the thread.
enum Woken {
    Called(Call),
    Time,
    End,
}

impl Thread {
    fn run(&mut self, timers: &tokio::runtime::Runtime) {
        loop {
            let mut batch = match timers.block_on(self.wait()) {
                Woken::Called(call) => vec![call],
                Woken::Time => Vec::new(),
                Woken::End => return,
            };
            while batch.len() < BATCH
                && let Ok(call) = self.calls.try_recv()
            {
                batch.push(call);
            }
            if self.core.is_none() && !self.recover(false) {
                return;
            }
            // What a panic left behind in memory is thrown away with the core. Whoever waits for an answer gets none, and
            // is told that the server does not know.
            let round = catch_unwind(AssertUnwindSafe(|| self.carry_out(batch)));
            if round.is_err() {
                self.core = None;
            }
            if self.core.is_none() && !self.recover(round.is_err()) {
                return;
            }
        }
    }

    /// Waits for a command, or for the time of the next deadline.
    async fn wait(&mut self) -> Woken {
        let sleep = match &self.core {
            // Whether the trouble is over shows when the store is asked again.
            Some(_) if self.health.trouble().is_some() => Some(LONGEST_SLEEP),
            Some(core) => core.next_deadline().map(|at| {
                // In short steps, so that it is noticed when the thread did not wake up in time.
                let left = at.duration_since(self.clock.now());
                Duration::try_from(left).unwrap_or_default().min(LONGEST_SLEEP)
            }),
            None => Some(RELOAD_EVERY),
        };
        self.pauses.wait(self.clock.monotonic(), sleep);
        let called = self.calls.recv();
        let call = match sleep {
            Some(sleep) => match tokio::time::timeout(sleep, called).await {
                Ok(call) => call,
                Err(_) => return Woken::Time,
            },
            None => called.await,
        };
        call.map_or(Woken::End, Woken::Called)
    }

    fn carry_out(&mut self, batch: Vec<Call>) {
        let now = self.clock.now();
        let moved = self.pauses.woken(now, self.clock.monotonic());
        let Some(mut core) = self.core.take() else {
            for call in batch {
                let _ = call.answer.send(Err(WriterError::Unavailable));
            }
            return;
        };
        if let Some(by) = moved {
            tracing::warn!(
                seconds = by.as_secs_f64(),
                "the clock jumped or the server stood still; all leases are moved"
            );
            core.shift_deadlines(by);
        }
        let mut round = Round::default();
        // Renewals that have come in are taken in before a lease is ended.
        let (renewals, others): (Vec<Call>, Vec<Call>) =
            batch.into_iter().partition(|call| matches!(call.command, Command::Renew { .. }));
        for call in renewals {
            round.apply(&mut core, now, call);
        }
        if core.next_deadline().is_some_and(|at| at <= now) {
            round.tick(&mut core, now);
        }
        for call in others {
            round.apply(&mut core, now, call);
        }
        let Round { writes, effects, answers, sound } = round;
        match self.store.commit(&self.fence, &writes) {
            Ok(()) => {
                if sound {
                    self.core = Some(core);
                    self.health.is_well();
                }
                for (answer, result) in answers {
                    // Whoever asked may have gone.
                    let _ = answer.send(result);
                }
                self.perform(effects);
            }
            Err(error) => {
                let why = format!("a commit failed: {}", chain(&error));
                if self.health.is_troubled(&why) {
                    tracing::error!("{why}; the state is loaded again");
                }
                if matches!(error, StoreError::Fenced { .. }) {
                    self.health.has_failed(&why);
                }
                for (answer, _) in answers {
                    let _ = answer.send(Err(WriterError::Unavailable));
                }
            }
        }
    }

    /// Loads the state as stored. `false` if the thread can't go on.
    fn recover(&mut self, panicked: bool) -> bool {
        if panicked {
            tracing::error!("the writer thread panicked; the state is loaded again");
        }
        let loaded = catch_unwind(AssertUnwindSafe(|| {
            self.store.load().map(|snapshot| Core::load(self.settings, snapshot, self.clock.now()))
        }));
        match loaded {
            Ok(Ok(core)) => {
                self.core = Some(core);
                // Some of what was written may be stored though nobody was told.
                self.hub.wake_all();
                true
            }
            Ok(Err(error)) => {
                let why = format!("the state can't be loaded: {}", chain(&error));
                if self.health.is_troubled(&why) {
                    tracing::error!("{why}");
                }
                true
            }
            Err(_) => {
                tracing::error!("loading the state panicked; the server ends");
                self.health.has_failed("its state can't be loaded: that panicked");
                false
            }
        }
    }

    fn perform(&self, mut effects: Vec<Effect>) {
        effects.sort_unstable();
        // Each agenda that may be pulled wakes one poll, so those effects are counted.
        effects.dedup_by(|a, b| a == b && matches!(a, Effect::Changed(_)));
        for effect in effects {
            match effect {
                Effect::WorkAvailable(pool, insight) => self.hub.wake_pool(&pool, &insight),
                Effect::Changed(agenda) => self.hub.wake_agenda(&agenda),
                Effect::CancelAsked => self.hub.wake_cancels(),
            }
        }
    }
}

/// What one transaction gathers.
struct Round {
    writes: Vec<Write>,
    effects: Vec<Effect>,
    answers: Vec<(oneshot::Sender<Answer>, Answer)>,
    /// Nothing has panicked.
    sound: bool,
}

impl Default for Round {
    fn default() -> Self {
        Self { writes: Vec::new(), effects: Vec::new(), answers: Vec::new(), sound: true }
    }
}

impl Round {
    fn apply(&mut self, core: &mut Core, now: Timestamp, call: Call) {
        let Call { command, answer } = call;
        let result = match self.guarded(core, now, command) {
            Some(reply) => reply.map_err(WriterError::Refused),
            None if self.sound => {
                tracing::error!("a command made the core panic; its state is loaded again");
                Err(WriterError::Broken)
            }
            None => Err(WriterError::Unavailable),
        };
        self.sound &= result != Err(WriterError::Broken);
        self.answers.push((answer, result));
    }

    fn tick(&mut self, core: &mut Core, now: Timestamp) {
        match self.guarded(core, now, Command::Tick) {
            Some(Ok(Reply::Expired(count))) => tracing::info!(count, "leases were not renewed in time"),
            Some(_) => {}
            None => {
                tracing::error!("ending leases made the core panic; its state is loaded again");
                self.sound = false;
            }
        }
    }

    /// None once a command has panicked. What that one left behind in memory is thrown away with the core.
    fn guarded(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        command: Command,
    ) -> Option<Result<Reply, Refusal>> {
        if !self.sound {
            return None;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| core.apply(now, command))).ok()?;
        self.writes.extend(outcome.writes);
        self.effects.extend(outcome.effects);
        Some(outcome.reply)
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(": {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
