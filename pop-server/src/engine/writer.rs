//! The thread that drives the [`Engine`]: it gathers the commands that wait, lets one step carry them out, then answers
//! them and wakes who waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::step::{Answer, Condition, Engine, EngineError, Now, Outcome};
use super::{Health, StartError, Wakeups};
use crate::core::access::Actor;
use crate::core::command::{Command, Effect, Request};
use crate::env::Clock;

/// Commands that may wait; more make their callers wait.
const BACKLOG: usize = 4096;
/// Commands that go into one transaction at most.
const BATCH: usize = 1024;

struct Call {
    request: Request,
    answer: oneshot::Sender<Answer>,
}

/// A handle to the thread; it ends with its last handle.
#[derive(Clone, Debug)]
pub struct Writer(mpsc::Sender<Call>);

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        engine: Engine,
        clock: Arc<dyn Clock>,
        wakeups: Arc<Wakeups>,
        health: Arc<Health>,
    ) -> Result<(Self, JoinHandle<()>), StartError> {
        let timers = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(StartError::Thread)?;
        let (sender, calls) = mpsc::channel(BACKLOG);
        let mut thread = Thread { engine, clock, wakeups, health, calls };
        let handle = std::thread::Builder::new()
            .name("pop-writer".to_owned())
            .spawn(move || {
                // Nothing in it may end unseen, whatever the cause.
                if catch_unwind(AssertUnwindSafe(|| thread.run(&timers))).is_err() {
                    thread.health.has_failed("its writer thread panicked");
                }
            })
            .map_err(StartError::Thread)?;
        Ok((Self(sender), handle))
    }

    /// Carries out a command; when this returns, its writes are durable.
    ///
    /// # Errors
    /// The core refuses the command, the store fails, or the server stops.
    pub async fn call(&self, actor: Actor, command: Command) -> Answer {
        let request = Request { actor, command };
        let (answer, answered) = oneshot::channel();
        self.0.send(Call { request, answer }).await.map_err(|_| EngineError::Stopped)?;
        // No answer: what became of it is not known, or the thread is gone.
        answered
            .await
            .map_err(|_| if self.0.is_closed() { EngineError::Stopped } else { EngineError::Unavailable })?
    }
}

struct Thread {
    engine: Engine,
    clock: Arc<dyn Clock>,
    wakeups: Arc<Wakeups>,
    health: Arc<Health>,
    calls: mpsc::Receiver<Call>,
}

impl Thread {
    fn run(&mut self, timers: &tokio::runtime::Runtime) {
        while let Some((requests, waiting)) = timers.block_on(self.wait()) {
            let Outcome { answers, effects, reloaded, condition } = self.engine.step(self.now(), requests);
            let goes_on = condition.is_none_or(|condition| self.tell(&condition));
            for (waiting, answer) in waiting.into_iter().zip(answers) {
                // Whoever asked may have gone.
                let _ = waiting.send(answer);
            }
            self.perform(effects);
            if reloaded {
                self.wakeups.wake_all();
            }
            if !goes_on {
                return;
            }
        }
    }

    fn now(&self) -> Now {
        Now::of(self.clock.as_ref())
    }

    /// Waits for commands, or for the time of the next deadline. None once nobody is left to call.
    async fn wait(&mut self) -> Option<(Vec<Request>, Vec<oneshot::Sender<Answer>>)> {
        let sleep = self.engine.wait(self.now());
        let called = self.calls.recv();
        let first = match sleep {
            Some(sleep) => match tokio::time::timeout(sleep, called).await {
                Ok(call) => Some(call?),
                Err(_) => None,
            },
            None => Some(called.await?),
        };
        let mut batch: Vec<Call> = first.into_iter().collect();
        while batch.len() < BATCH
            && let Ok(call) = self.calls.try_recv()
        {
            batch.push(call);
        }
        Some(batch.into_iter().map(|call| (call.request, call.answer)).unzip())
    }

    /// Tells how the engine is. `false` if it can't go on.
    fn tell(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Well => self.health.is_well(),
            Condition::Troubled(why) => {
                if self.health.is_troubled(why) {
                    tracing::error!("{why}; the state is loaded again");
                }
            }
            Condition::Failed(why) => self.health.has_failed(why),
        }
        !matches!(condition, Condition::Failed(_))
    }

    fn perform(&self, mut effects: Vec<Effect>) {
        effects.sort_unstable();
        // Each agenda that may be pulled wakes one poll, so those effects are counted.
        effects.dedup_by(|a, b| a == b && matches!(a, Effect::Changed(_)));
        for effect in effects {
            match effect {
                Effect::WorkAvailable(pool, insight) => self.wakeups.wake_pool(&pool, &insight),
                Effect::Changed(agenda) => self.wakeups.wake_agenda(&agenda),
                Effect::CancelAsked => self.wakeups.wake_cancels(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
