//! One transaction: the core applies a batch of commands, the store commits their writes, and then answers and effects
//! come out. The step uses neither threads nor clocks, so a test or a simulation can drive the engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::pauses::Pauses;
use crate::core::access::Actor;
use crate::core::command::{Command, Effect, Refusal, Reply, Request};
use crate::core::record::Write;
use crate::core::{Core, Settings};
use crate::env::Clock;
use crate::scheduler::{POLICIES, is_known};
use crate::store::{Fence, Store, StoreError};

/// Time between two attempts to load the state while the store fails.
const RELOAD_EVERY: Duration = Duration::from_millis(500);
/// Longest wait while leases exist.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Reasons why the engine did not carry out a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The core refused the command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed; the command had no effect.
    #[error("could not store the change (database error); retry")]
    Unavailable,
    /// The command made the core panic; the command had no effect.
    #[error("internal error: the server failed on this request; its log has the details")]
    Broken,
    /// The server stops.
    #[error("the server is stopping")]
    Stopped,
}

/// The result of one command.
pub type Answer = Result<Reply, EngineError>;

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Time of the wall clock.
    pub wall: Timestamp,
    /// Time of the monotonic clock.
    pub monotonic: Duration,
}

impl Now {
    /// Reads both times of a clock.
    pub fn of(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), monotonic: clock.monotonic() }
    }
}

/// The condition of the engine after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The engine works.
    Well,
    /// The engine cannot work now, and tries again.
    Troubled(String),
    /// The engine cannot go on.
    Failed(String),
}

/// The results of a step.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One answer for each command of the batch, in the batch's order. The writes behind the answers are durable.
    pub answers: Vec<Answer>,
    /// Effects to perform now.
    pub effects: Vec<Effect>,
    /// The engine loaded its state again. A failed commit may have stored changes without their effects, so every
    /// waiting caller must look again.
    pub reloaded: bool,
    /// The condition of the engine, if the step learned it.
    pub condition: Option<Condition>,
}

impl Outcome {
    fn has_failed(&self) -> bool {
        matches!(self.condition, Some(Condition::Failed(_)))
    }
}

/// The core with its store.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    store: Arc<dyn Store>,
    /// Claimed once. A server that loses its fence ends.
    fence: Fence,
    /// None if the state in memory may be ahead of the stored state; the next step loads the stored state.
    core: Option<Core>,
    pauses: Pauses,
    troubled: bool,
}

impl Engine {
    /// Claims the store and loads its state.
    ///
    /// # Errors
    /// The store cannot claim its fence or cannot load its state.
    pub fn load(settings: Settings, store: Arc<dyn Store>, now: Now) -> Result<Self, StoreError> {
        // After the claim, no other server changes the stored state.
        let fence = store.claim()?;
        let snapshot = store.load()?;
        for insight in snapshot.insights.iter().filter(|insight| !is_known(POLICIES, &insight.algorithm)) {
            let (id, unknown, used) = (&insight.id, &insight.algorithm, POLICIES[0].name);
            tracing::warn!(
                "unknown algorithm `{unknown}` of insight `{id}`: a newer server has set it. `{used}` is used instead"
            );
        }
        let core = Core::load(settings, snapshot, now.wall);
        let pauses = Pauses::new(now.wall, now.monotonic);
        Ok(Self { settings, store, fence, core: Some(core), pauses, troubled: false })
    }

    /// Marks the start of a wait for commands. Returns the longest wait; none means that only a command ends the wait.
    pub fn wait(&mut self, now: Now) -> Option<Duration> {
        let sleep = match &self.core {
            // Only another commit shows whether the trouble has passed.
            Some(_) if self.troubled => Some(LONGEST_SLEEP),
            Some(core) => core.next_deadline().map(|at| {
                // Waits are short, so that the engine notices a thread that woke up late.
                Duration::try_from(at.duration_since(now.wall)).unwrap_or_default().min(LONGEST_SLEEP)
            }),
            None => Some(RELOAD_EVERY),
        };
        self.pauses.wait(now.monotonic, sleep);
        sleep
    }

    /// Carries out a batch of commands, and ends the leases that are overdue.
    pub fn step(&mut self, now: Now, batch: Vec<Request>) -> Outcome {
        let commands = batch.len();
        let mut outcome = Outcome::default();
        if self.core.is_none() {
            self.reload(now, &mut outcome);
        }
        if !outcome.has_failed() {
            // A panic may leave a broken state in memory; the engine drops that core.
            let done = catch_unwind(AssertUnwindSafe(|| self.transact(now, batch, &mut outcome)));
            if done.is_err() {
                tracing::error!("a transaction panicked; the state is loaded again");
                self.core = None;
            }
            if self.core.is_none() {
                self.reload(now, &mut outcome);
            }
        }
        if let Some(condition) = &outcome.condition {
            self.troubled = *condition != Condition::Well;
        }
        outcome.answers.resize(commands, Err(EngineError::Unavailable));
        outcome
    }

    fn transact(&mut self, now: Now, batch: Vec<Request>, outcome: &mut Outcome) {
        let moved = self.pauses.woken(now.wall, now.monotonic);
        let Some(mut core) = self.core.take() else { return };
        if let Some(by) = moved {
            let seconds = by.as_secs_f64();
            tracing::warn!(seconds, "the clock jumped or the server stood still; all leases are moved");
            core.shift_deadlines(by);
        }
        let mut transaction = Transaction::new(now.wall, batch.len());
        // Renewals of the batch come before the end of overdue leases.
        let is_renewal = |(_, request): &(usize, Request)| matches!(request.command, Command::Renew { .. });
        let (renewals, others): (Vec<_>, Vec<_>) = batch.into_iter().enumerate().partition(is_renewal);
        for (at, request) in renewals {
            transaction.apply(&mut core, at, request);
        }
        if core.next_deadline().is_some_and(|at| at <= now.wall) {
            transaction.tick(&mut core);
        }
        for (at, request) in others {
            transaction.apply(&mut core, at, request);
        }
        match self.store.commit(&self.fence, &transaction.writes) {
            Ok(()) => {
                if transaction.sound {
                    self.core = Some(core);
                    outcome.condition = Some(Condition::Well);
                }
                outcome.answers = transaction.answers;
                outcome.effects = transaction.effects;
            }
            Err(error) => {
                let why = format!("a commit failed: {}", chain(&error));
                let fenced = matches!(error, StoreError::Fenced { .. });
                outcome.condition =
                    Some(if fenced { Condition::Failed(why) } else { Condition::Troubled(why) });
            }
        }
    }

    fn reload(&mut self, now: Now, outcome: &mut Outcome) {
        let (settings, store) = (self.settings, &self.store);
        let load = || store.load().map(|snapshot| Core::load(settings, snapshot, now.wall));
        match catch_unwind(AssertUnwindSafe(load)) {
            Ok(Ok(core)) => {
                self.core = Some(core);
                outcome.reloaded = true;
            }
            Ok(Err(error)) => {
                outcome.condition =
                    Some(Condition::Troubled(format!("the state can't be loaded: {}", chain(&error))));
            }
            Err(_) => {
                tracing::error!("loading the state panicked; the server ends");
                let why = "its state can't be loaded: that panicked";
                outcome.condition = Some(Condition::Failed(why.to_owned()));
            }
        }
    }
}

/// The results of one transaction.
struct Transaction {
    now: Timestamp,
    writes: Vec<Write>,
    effects: Vec<Effect>,
    answers: Vec<Answer>,
    /// Whether no command has panicked.
    sound: bool,
}

impl Transaction {
    fn new(now: Timestamp, commands: usize) -> Self {
        let answers = vec![Err(EngineError::Unavailable); commands];
        Self { now, writes: Vec::new(), effects: Vec::new(), answers, sound: true }
    }

    fn apply(&mut self, core: &mut Core, at: usize, request: Request) {
        if !self.sound {
            return;
        }
        let reply = self.guarded(core, request);
        if reply.is_none() {
            tracing::error!("a command made the core panic; its state is loaded again");
        }
        self.answers[at] =
            reply.map_or(Err(EngineError::Broken), |reply| reply.map_err(EngineError::Refused));
    }

    fn tick(&mut self, core: &mut Core) {
        if !self.sound {
            return;
        }
        match self.guarded(core, Request { actor: Actor::Server, command: Command::Tick }) {
            Some(Ok(Reply::Expired(count))) => tracing::info!(count, "leases were not renewed in time"),
            Some(_) => {}
            None => tracing::error!("ending leases made the core panic; its state is loaded again"),
        }
    }

    /// None if the command panicked. The engine then drops the core with its broken state.
    fn guarded(&mut self, core: &mut Core, request: Request) -> Option<Result<Reply, Refusal>> {
        let (now, Request { actor, command }) = (self.now, request);
        tracing::trace!(%actor, command = command.name(), "applying");
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| core.apply(now, command))) else {
            self.sound = false;
            return None;
        };
        self.writes.extend(outcome.writes);
        self.effects.extend(outcome.effects);
        Some(outcome.reply)
    }
}

/// The text of an error with its causes.
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
mod tests {
    use super::*;
    use crate::core::fixture::{agenda, submit};
    use crate::ids::{AgendaId, PoolId};
    use crate::store::faulty::{Fault, Faulty};
    use crate::store::sqlite::SqliteStore;

    fn now() -> Now {
        Now { wall: Timestamp::from_second(1_800_000_000).unwrap(), monotonic: Duration::ZERO }
    }

    fn engine() -> (Engine, Arc<Faulty<SqliteStore>>) {
        let store = Arc::new(Faulty::new(SqliteStore::in_memory().unwrap()));
        (Engine::load(Settings::default(), store.clone(), now()).unwrap(), store)
    }

    fn batch(commands: impl IntoIterator<Item = Command>) -> Vec<Request> {
        commands.into_iter().map(|command| Request { actor: Actor::Operator, command }).collect()
    }

    fn pool(id: &str) -> Command {
        Command::PutPool(crate::core::record::Pool { id: id.into(), title: None })
    }

    #[test]
    fn answers_come_in_the_order_of_the_commands() {
        let (mut engine, _) = engine();
        let submit = submit(&AgendaId::from("ag_1"), "nobody", &agenda(&["a"]), None);
        let renew = Command::Renew {
            pool: PoolId::from("p"),
            worker: "w".into(),
            instance: "1".into(),
            leases: Vec::new(),
        };
        // The engine carries out the renewal first.
        let outcome = engine.step(now(), batch([pool("p"), Command::Submit(Box::new(submit)), renew]));
        assert_eq!(outcome.answers[0], Ok(Reply::Created));
        assert!(matches!(outcome.answers[1], Err(EngineError::Refused(Refusal::UnknownCustomer(_)))));
        assert_eq!(outcome.answers[2], Ok(Reply::Renewed { cancel: Vec::new(), lost: Vec::new() }));
        assert_eq!(outcome.condition, Some(Condition::Well));
    }

    #[test]
    fn a_command_that_panics_takes_only_itself_and_those_behind_it_along() {
        let (mut engine, _) = engine();
        let outcome = engine.step(now(), batch([pool("a"), Command::Panic, pool("b")]));
        let expected = [Ok(Reply::Created), Err(EngineError::Broken), Err(EngineError::Unavailable)];
        assert_eq!(outcome.answers, expected);
        assert!(outcome.reloaded);
        let outcome = engine.step(now(), batch([pool("a"), pool("b")]));
        assert_eq!(outcome.answers, [Ok(Reply::Updated), Ok(Reply::Created)]);
    }

    #[test]
    fn nothing_is_told_of_a_commit_that_failed() {
        let (mut engine, store) = engine();
        for fault in [Fault::Error, Fault::PanicInCommit] {
            store.set(fault);
            let outcome = engine.step(now(), batch([pool("a")]));
            assert_eq!(outcome.answers, [Err(EngineError::Unavailable)], "{fault:?}");
            assert!(outcome.effects.is_empty());
        }
        store.set(Fault::None);
        let outcome = engine.step(now(), batch([pool("a")]));
        assert_eq!(outcome.answers, [Ok(Reply::Created)]);
        assert_eq!(outcome.condition, Some(Condition::Well));
    }
}
