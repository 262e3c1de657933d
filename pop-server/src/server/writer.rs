//! The thread that drives the core: it takes all commands that wait, applies them, commits their writes in one
//! transaction, and only then lets replies and effects out. Decisions live in the core, SQL in the store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{Hub, ServerError};
use crate::clock::Clock;
use crate::core::command::{Command, Effect, Refusal, Reply};
use crate::core::record::Write;
use crate::core::{Core, Settings};
use crate::store::Store;

/// Commands that may wait; more make their callers wait.
const BACKLOG: usize = 4096;
/// Commands that go into one transaction at most.
const BATCH: usize = 1024;
/// Between two attempts to load the state while the database fails.
const RELOAD_EVERY: Duration = Duration::from_millis(500);

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
    ) -> Result<(Self, JoinHandle<()>), ServerError> {
        let snapshot = store.load().map_err(ServerError::Store)?;
        let core = Core::load(settings, snapshot, clock.now());
        let timers = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(ServerError::Thread)?;
        let (sender, calls) = mpsc::channel(BACKLOG);
        let mut thread = Thread { settings, store, clock, hub, core: Some(core), calls };
        let handle = std::thread::Builder::new()
            .name("pop-writer".to_owned())
            .spawn(move || thread.run(&timers))
            .map_err(ServerError::Thread)?;
        Ok((Self(sender), handle))
    }

    /// Carries out a command; when this returns, its writes are durable.
    pub async fn call(&self, command: Command) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.send(Call { command, answer }).await.map_err(|_| WriterError::Stopped)?;
        answered.await.map_err(|_| WriterError::Stopped)?
    }
}

struct Thread {
    settings: Settings,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
    /// None: what is in memory may be ahead of what is stored, and must be loaded again.
    core: Option<Core>,
    calls: mpsc::Receiver<Call>,
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
            self.carry_out(batch);
        }
    }

    /// Waits for a command, or for the time of the next deadline.
    async fn wait(&mut self) -> Woken {
        let sleep = match &self.core {
            Some(core) => core
                .next_deadline()
                .map(|at| Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default()),
            None => Some(RELOAD_EVERY),
        };
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
        if self.core.is_none() && !self.reload() {
            for call in batch {
                let _ = call.answer.send(Err(WriterError::Unavailable));
            }
            return;
        }
        let Some(mut core) = self.core.take() else { return };
        let now = self.clock.now();
        let mut writes: Vec<Write> = Vec::new();
        let mut effects: Vec<Effect> = Vec::new();
        let mut answers: Vec<(oneshot::Sender<Answer>, Answer)> = Vec::new();
        let mut sound = true;
        if core.next_deadline().is_some_and(|at| at <= now) {
            let outcome = core.apply(now, Command::Tick);
            if let Ok(Reply::Expired(count)) = outcome.reply {
                tracing::info!(count, "leases were not renewed in time");
            }
            writes.extend(outcome.writes);
            effects.extend(outcome.effects);
        }
        for Call { command, answer } in batch {
            if !sound {
                answers.push((answer, Err(WriterError::Unavailable)));
                continue;
            }
            // What the panicking command left behind in memory is thrown away with the core.
            let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| core.apply(now, command))) else {
                tracing::error!("a command made the core panic; its state is loaded again");
                sound = false;
                answers.push((answer, Err(WriterError::Broken)));
                continue;
            };
            writes.extend(outcome.writes);
            effects.extend(outcome.effects);
            answers.push((answer, outcome.reply.map_err(WriterError::Refused)));
        }
        match self.store.commit(&writes) {
            Ok(()) => {
                if sound {
                    self.core = Some(core);
                }
                for (answer, result) in answers {
                    // Whoever asked may have gone.
                    let _ = answer.send(result);
                }
                self.perform(effects);
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a commit failed; the state is loaded again"
                );
                for (answer, _) in answers {
                    let _ = answer.send(Err(WriterError::Unavailable));
                }
            }
        }
        if self.core.is_none() {
            self.reload();
        }
    }

    /// Loads the state as stored; whether that worked.
    fn reload(&mut self) -> bool {
        match self.store.load() {
            Ok(snapshot) => {
                self.core = Some(Core::load(self.settings, snapshot, self.clock.now()));
                true
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the state can't be loaded");
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
            }
        }
    }
}
