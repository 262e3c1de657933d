//! The server's state machine: one pure state that takes commands and returns replies, writes and effects. The core
//! uses neither tokio nor a database nor a clock nor randomness. `engine/` drives the core, commits its writes, and
//! only then lets replies and effects out.

pub mod access;
mod agents;
pub mod command;
mod insight;
mod lease;
mod lifecycle;
mod live;
mod operation;
mod pull;
pub mod record;
mod report;
pub mod rerun;
mod schedule;
mod settings;
mod state;
mod submit;
mod templates;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

#[cfg(test)]
use command::Reply;
use command::{Command, Effect, Outcome};
use record::{Snapshot, Write};
use state::State;

/// Configuration of the core.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Duration of a lease without a renewal.
    pub lease: Duration,
    /// Whether an unknown customer is created on its first submit, in the pool `default`.
    pub auto_customers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(30), auto_customers: false }
    }
}

/// The server's state, changed only by [`Core::apply`] and [`Core::shift_deadlines`].
#[derive(Debug)]
pub struct Core {
    settings: Settings,
    state: State,
}

/// The results that one command collects.
#[derive(Debug)]
struct Tx {
    now: Timestamp,
    writes: Vec<Write>,
    effects: Vec<Effect>,
}

impl Core {
    /// The stored state. Renewals are not stored, so each lease lasts its whole length from `now`.
    pub fn load(settings: Settings, snapshot: Snapshot, now: Timestamp) -> Self {
        let until = now.checked_add(settings.lease).unwrap_or(Timestamp::MAX);
        Self { settings, state: State::load(snapshot, now, until) }
    }

    /// Applies one command. The function is total: every command leaves a consistent state. The cost depends on the
    /// command, never on the amount of waiting work.
    pub fn apply(&mut self, now: Timestamp, command: Command) -> Outcome {
        let mut tx = Tx { now, writes: Vec::new(), effects: Vec::new() };
        let reply = match command {
            Command::Submit(submit) => self.submit(&mut tx, *submit),
            Command::Rerun(again) => self.rerun(&mut tx, *again),
            Command::Cancel { agenda } => Ok(self.cancel(&mut tx, &agenda)),
            Command::Attach { pool, worker, instance, holding } => {
                self.attach(&mut tx, &pool, &worker, &instance, &holding)
            }
            Command::Pull(pull) => self.pull(&mut tx, pull),
            Command::Renew { pool, worker, instance, leases } => {
                self.renew(&mut tx, &pool, &worker, &instance, &leases)
            }
            Command::Release { pool, worker, instance, leases, leaving } => {
                self.release(&mut tx, &pool, &worker, &instance, &leases, leaving)
            }
            Command::Report { pool, worker, instance, reports } => {
                self.report(&mut tx, &pool, &worker, &instance, reports)
            }
            Command::PutCustomer(customer) => self.put_customer(&mut tx, customer),
            Command::DeleteCustomer(id) => self.delete_customer(&mut tx, &id),
            Command::PutPool(pool) => self.put_pool(&mut tx, pool),
            Command::DeletePool(id) => self.delete_pool(&mut tx, &id),
            Command::PutInsight(insight) => self.put_insight(&mut tx, insight),
            Command::DeleteInsight(id) => self.delete_insight(&mut tx, &id),
            Command::PutTemplate(template) => self.put_template(&mut tx, *template),
            Command::DeleteTemplate { customer, name } => self.delete_template(&mut tx, customer, name),
            Command::Tick => Ok(self.tick(&mut tx)),
            #[cfg(test)]
            Command::Panic => panic!("as a test asked for"),
            #[cfg(test)]
            Command::PanicAtTick => {
                self.state.panic_at_tick = true;
                Ok(Reply::Done)
            }
        };
        self.state.flush(&mut tx);
        Outcome { reply, writes: tx.writes, effects: tx.effects }
    }

    /// Moves the ends of all leases, because the clock jumped or no agent could renew for this time.
    pub fn shift_deadlines(&mut self, by: SignedDuration) {
        self.state.shift_deadlines(by);
    }

    /// The time at which the next [`Command::Tick`] has something to do.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.state.next_deadline()
    }
}
