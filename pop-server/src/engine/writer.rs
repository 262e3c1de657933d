//! The thread that drives the [`Engine`]. The thread gathers the waiting commands, carries them out in one step,
//! answers them, and wakes the waiting callers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::step::{Answer, Condition, Engine, EngineError, Now, Outcome};
use super::{Health, StartError, Wakeups};
use crate::core::access::Actor;
use crate::core::command::{Command, Effect, Request};
use crate::env::Clock;

/// Number of commands that may wait; callers of further commands wait for a place.
const BACKLOG: usize = 4096;
/// Largest number of commands in one transaction.
const BATCH: usize = 1024;

struct Call {
    request: Request,
    answer: oneshot::Sender<Answer>,
}

/// A handle of the thread. The thread ends with its last handle.
#[derive(Clone, Debug)]
pub struct Writer(mpsc::Sender<Call>);

impl Writer {
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
                // Every end of the thread must show in the health, also a panic.
                if catch_unwind(AssertUnwindSafe(|| thread.run(&timers))).is_err() {
                    thread.health.has_failed("its writer thread panicked");
                }
            })
            .map_err(StartError::Thread)?;
        Ok((Self(sender), handle))
    }

    /// Carries out a command. The command's writes are durable when this function returns.
    ///
    /// # Errors
    /// The core refuses the command, the store fails, or the server stops.
    pub async fn call(&self, actor: Actor, command: Command) -> Answer {
        let request = Request { actor, command };
        let (answer, answered) = oneshot::channel();
        self.0.send(Call { request, answer }).await.map_err(|_| EngineError::Stopped)?;
        // No answer: the thread is gone, or the result of the command is unknown.
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
                // The caller may have gone.
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

    /// Waits for commands, or for the next deadline. None after the last handle is dropped.
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

    /// Reports the condition of the engine. `false` if the engine cannot go on.
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
        // Each agenda for a pull wakes one poll, so only `Changed` effects lose their repetitions.
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
