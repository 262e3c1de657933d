//! The agent's state and decisions, without clock or server: events and the time come in, calls and commands go out.
//! Agenda and epoch together name a lease, so an answer about an earlier lease never changes a later one.
//!
//! *Fencing.* A lease counts from the start of its last successful renewal. After a time without a successful renewal,
//! the agent stops its programs before the server may lease the agenda to another agent. The agent first stops programs
//! politely, then kills them.

use std::collections::BTreeMap;
use std::time::Duration;

use pop_sdk::api::{AttachResponse, Lease, LeaseId, PullResponse, ReleaseResponse, RenewResponse};

use crate::pool::executor::{Command, Finish, Finished};
use crate::pool::port::PortError;

/// Longest wait of one pull.
const PULL_WAIT: Duration = Duration::from_secs(20);
/// The first and the longest pause between two tries of a call.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A time on a clock that goes on while the machine sleeps and makes no steps; the start of the clock is arbitrary.
pub(super) type Moment = Duration;

/// Settings of the agent.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The agent's instance; the ids of pulls start with it.
    pub(super) instance: String,
    /// Number of agendas that run at the same time.
    pub(super) slots: usize,
    /// Time between the polite stop of a program and its kill.
    pub(super) grace: Duration,
}

/// The events of an agent.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Attached(Result<AttachResponse, PortError>),
    /// The answer to the pull.
    Pulled(Result<PullResponse, PortError>),
    /// The answer to the renewal.
    Renewed(Result<RenewResponse, PortError>),
    /// The answer to the release.
    Released(Result<ReleaseResponse, PortError>),
    /// The executor has finished a lease.
    Finished(Finished),
    /// The agent must stop.
    Stop,
    /// A moment of [`Agent::next_wake`] has come.
    Tick,
}

/// The actions of an agent. At most one call of each kind is under way at a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Output {
    Attach,
    Pull {
        count: u32,
        wait: Duration,
        request: String,
        limit: Duration,
    },
    /// Drop the pull that is under way.
    DropPull,
    Renew {
        leases: Vec<LeaseId>,
        wait: Duration,
        limit: Duration,
    },
    Release {
        leases: Vec<LeaseId>,
        leaving: bool,
        limit: Duration,
    },
    Execute(Command),
    /// No program may start or live after this moment, unless a later fence replaces this one. None removes the fence.
    FenceAt(Option<Moment>),
    /// A warning for operators.
    Warn(String),
    /// The agent has ended.
    End(Result<(), PortError>),
}

#[derive(Debug)]
pub(super) struct Agent {
    settings: Settings,
    lease: Duration,
    attached: bool,
    leases: BTreeMap<LeaseId, HeldLease>,
    /// Leases to give back.
    back: Vec<LeaseId>,
    pulls: u64,
    pull: Call,
    /// The call id of an unanswered pull. Repetitions keep the id, so that granted leases are not lost.
    pull_request: Option<(u32, String)>,
    renew: Call,
    renewed: Vec<LeaseId>,
    release: Call,
    releasing: Releasing,
    attach: Call,
    /// The agent takes no more work, and ends with this result after its last lease.
    ending: Option<Result<(), PortError>>,
    stop_by: Option<Moment>,
    left: bool,
    ended: bool,
    fence: Option<Moment>,
}

/// A release without an answer.
#[derive(Debug, Default)]
struct Releasing {
    leases: Vec<LeaseId>,
    /// Whether the release announces the end of the agent.
    leaving: bool,
}

/// A held lease.
#[derive(Debug)]
struct HeldLease {
    /// Start of the last successful renewal; before that, start of the pull.
    renewed_at: Moment,
    /// The action after missing renewals.
    fenced: Fenced,
    /// The executor has finished the lease. The lease now waits for its release, or for a renewal in which the server
    /// reports the lease as lost.
    over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fenced {
    No,
    Stopped,
    Killed,
}

/// The state of one kind of call: the start of the call under way, or the earliest start of the next call.
#[derive(Clone, Copy, Debug)]
struct Call {
    sent: Option<Moment>,
    next: Moment,
    pause: Duration,
}

impl Call {
    fn new() -> Self {
        Self { sent: None, next: Duration::ZERO, pause: PAUSES.0 }
    }

    fn is_due(&self, now: Moment) -> bool {
        self.sent.is_none() && self.next <= now
    }

    fn failed(&mut self, now: Moment, longest: Duration) {
        let pause = self.pause.min(longest);
        *self = Self { sent: None, next: now + pause, pause: (pause * 2).min(PAUSES.1) };
    }

    fn worked(&mut self, next: Moment) {
        *self = Self { sent: None, next, pause: PAUSES.0 };
    }
}

impl Agent {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            lease: Duration::from_secs(30),
            attached: false,
            leases: BTreeMap::new(),
            back: Vec::new(),
            pulls: 0,
            pull: Call::new(),
            pull_request: None,
            renew: Call::new(),
            renewed: Vec::new(),
            release: Call::new(),
            releasing: Releasing::default(),
            attach: Call::new(),
            ending: None,
            stop_by: None,
            left: false,
            ended: false,
            fence: None,
        }
    }

    /// Takes one event. The function is total: an event that does not fit the state has no effect.
    pub(super) fn on(&mut self, now: Moment, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        if self.ended {
            return out;
        }
        match input {
            Input::Attached(result) => self.attached(now, result, &mut out),
            Input::Pulled(result) => self.pulled(now, result, &mut out),
            Input::Renewed(result) => self.renewed(now, result, &mut out),
            Input::Released(result) => self.released(now, result, &mut out),
            Input::Finished(Finished { lease, how }) => self.finished(&lease, how),
            Input::Stop => self.stop(now, Ok(()), &mut out),
            Input::Tick => {}
        }
        self.fence(now, &mut out);
        self.call(now, &mut out);
        let (_, kill) = self.fences();
        let fence = self.leases.values().filter(|held| !held.over).map(|held| held.renewed_at + kill).min();
        if fence != self.fence {
            self.fence = fence;
            out.push(Output::FenceAt(fence));
        }
        out
    }

    /// The next moment at which [`Input::Tick`] has an effect.
    pub(super) fn next_wake(&self) -> Option<Moment> {
        let calls = [
            (!self.attached, &self.attach),
            (self.wants_work(), &self.pull),
            (!self.leases.is_empty(), &self.renew),
            (self.wants_release(), &self.release),
        ];
        let calls = calls.iter().filter(|(wanted, call)| *wanted && call.sent.is_none());
        let fences = self.leases.values().filter_map(|held| self.next_fence(held));
        calls.map(|(_, call)| call.next).chain(fences).chain(self.stop_by).min()
    }

    /// The safety margin of a lease: a tenth of its length, for the network's delay and for clocks of different speed.
    pub(super) fn margin(&self) -> Duration {
        self.lease / 10
    }

    /// The times after the last successful renewal at which programs are stopped and killed.
    fn fences(&self) -> (Duration, Duration) {
        let kill = self.lease.saturating_sub(self.margin());
        let stop = kill.saturating_sub(self.settings.grace).max(self.lease / 2).min(kill);
        (stop, kill)
    }

    fn next_fence(&self, held: &HeldLease) -> Option<Moment> {
        let (stop, kill) = self.fences();
        match held.fenced {
            _ if held.over => None,
            Fenced::No => Some(held.renewed_at + stop),
            Fenced::Stopped => Some(held.renewed_at + kill),
            Fenced::Killed => None,
        }
    }

    fn fence(&mut self, now: Moment, out: &mut Vec<Output>) {
        let due: Vec<(LeaseId, Fenced)> = self
            .leases
            .iter()
            .filter(|(_, held)| self.next_fence(held).is_some_and(|at| at <= now))
            .map(|(lease, held)| (lease.clone(), held.fenced))
            .collect();
        let newly = due.iter().filter(|(_, fenced)| *fenced == Fenced::No).count();
        if newly > 0 {
            out.push(Output::Warn(format!(
                "could not renew {newly} leases in time: the server can't be reached. Their programs are stopped before \
                 another pool may start them"
            )));
        }
        let (_, kill) = self.fences();
        for (lease, fenced) in due {
            let Some(held) = self.leases.get_mut(&lease) else { continue };
            if fenced == Fenced::No {
                out.push(Output::Execute(Command::Yield(lease.clone())));
                held.fenced = Fenced::Stopped;
            }
            if held.fenced == Fenced::Stopped && held.renewed_at + kill <= now {
                out.push(Output::Execute(Command::Kill(lease)));
                held.fenced = Fenced::Killed;
            }
        }
    }

    fn wants_work(&self) -> bool {
        let full = self.leases.values().filter(|held| !held.over).count() >= self.settings.slots;
        self.attached && self.ending.is_none() && (!full || self.pull_request.is_some())
    }

    fn wants_release(&self) -> bool {
        !self.back.is_empty() || (self.is_leaving() && !self.left)
    }

    /// Whether nothing runs any more and the server must learn of the agent's end.
    fn is_leaving(&self) -> bool {
        let gone = matches!(self.ending, Some(Err(PortError::Superseded(_) | PortError::Unknown(_))));
        self.attached && self.ending.is_some() && !gone && self.leases.values().all(|held| held.over)
    }

    /// Makes the calls that are due, and ends the agent when no work is left.
    fn call(&mut self, now: Moment, out: &mut Vec<Output>) {
        let third = self.lease / 3;
        if let Some(ending) = &self.ending {
            let nothing_runs = self.leases.values().all(|held| held.over);
            let said = self.left || !self.is_leaving();
            let overdue = self.stop_by.is_some_and(|by| by <= now);
            if overdue || (nothing_runs && said) {
                out.push(Output::End(ending.clone()));
                self.ended = true;
                return;
            }
        }
        if !self.attached {
            if self.attach.is_due(now) {
                self.attach.sent = Some(now);
                out.push(Output::Attach);
            }
            return;
        }
        if self.wants_release() && self.release.is_due(now) {
            let (leases, leaving) = (std::mem::take(&mut self.back), self.is_leaving());
            self.releasing = Releasing { leases: leases.clone(), leaving };
            self.release.sent = Some(now);
            out.push(Output::Release { leases, leaving, limit: third });
        }
        if !self.leases.is_empty() && self.renew.is_due(now) {
            let leases: Vec<LeaseId> = self.leases.keys().cloned().collect();
            self.renewed.clone_from(&leases);
            self.renew.sent = Some(now);
            out.push(Output::Renew { leases, wait: third / 2, limit: third });
        }
        if self.wants_work() && self.pull.is_due(now) {
            let free = self.settings.slots.saturating_sub(self.leases.values().filter(|h| !h.over).count());
            let (count, request) = self.pull_request.clone().unwrap_or_else(|| {
                self.pulls += 1;
                let count = u32::try_from(free).unwrap_or(u32::MAX);
                (count, format!("{}-{}", self.settings.instance, self.pulls))
            });
            self.pull_request = Some((count, request.clone()));
            self.pull.sent = Some(now);
            let wait = PULL_WAIT.min(self.lease);
            out.push(Output::Pull { count, wait, request, limit: wait + third });
        }
    }

    fn attached(&mut self, now: Moment, result: Result<AttachResponse, PortError>, out: &mut Vec<Output>) {
        match result {
            Ok(response) => {
                self.attached = true;
                self.set_lease(response.lease_ms);
                self.attach.worked(now);
            }
            Err(error) => {
                self.attach.failed(now, PAUSES.1);
                self.refused(now, &error, "attach to the server", out);
            }
        }
    }

    fn pulled(&mut self, now: Moment, result: Result<PullResponse, PortError>, out: &mut Vec<Output>) {
        let Some(sent) = self.pull.sent else { return };
        match result {
            Ok(response) => {
                self.pull.worked(now);
                self.pull_request = None;
                // Largest age of the leases in the answer: the time since the call, without the wait inside the server.
                let age = now.saturating_sub(sent).saturating_sub(Duration::from_millis(response.waited_ms));
                for lease in response.leases {
                    self.granted(now, age, lease, out);
                }
            }
            Err(error) => {
                self.pull.failed(now, PAUSES.1);
                self.refused(now, &error, "pull work", out);
            }
        }
    }

    fn granted(&mut self, now: Moment, age: Duration, lease: Lease, out: &mut Vec<Output>) {
        let id = LeaseId { id: lease.id.clone(), epoch: lease.epoch };
        if self.leases.contains_key(&id) {
            return;
        }
        self.set_lease(lease.lease_ms);
        // A stopped agent starts nothing. An answer that travelled too long may name agendas that another agent has by
        // now.
        if self.ending.is_some() || age >= self.fences().0 {
            self.back.push(id);
            return;
        }
        self.leases
            .insert(id, HeldLease { renewed_at: now.saturating_sub(age), fenced: Fenced::No, over: false });
        out.push(Output::Execute(Command::Run(Box::new(lease))));
    }

    fn renewed(&mut self, now: Moment, result: Result<RenewResponse, PortError>, out: &mut Vec<Output>) {
        let Some(sent) = self.renew.sent else { return };
        let renewed = std::mem::take(&mut self.renewed);
        match result {
            Ok(response) => {
                self.set_lease(response.lease_ms);
                // The server answers early to announce a cancel. The next call follows soon, because it waits for the
                // next cancel.
                self.renew.worked(now.max(sent + self.lease / 60));
                for lease in &renewed {
                    if let Some(held) = self.leases.get_mut(lease) {
                        held.renewed_at = held.renewed_at.max(sent);
                    }
                }
                for lease in response.lost {
                    // The executor keeps the lease until its programs have ended; a newer lease of the agenda waits
                    // there.
                    if self.leases.remove(&lease).is_some_and(|held| !held.over) {
                        out.push(Output::Execute(Command::Lost(lease)));
                    }
                }
                for lease in response.cancel {
                    if self.leases.get(&lease).is_some_and(|held| !held.over) {
                        out.push(Output::Execute(Command::Cancel(lease)));
                    }
                }
            }
            Err(error) => {
                self.renew.failed(now, self.lease / 10);
                self.refused(now, &error, "renew leases", out);
            }
        }
    }

    fn released(&mut self, now: Moment, result: Result<ReleaseResponse, PortError>, out: &mut Vec<Output>) {
        let Releasing { leases: releasing, leaving } = std::mem::take(&mut self.releasing);
        match result {
            Ok(_) => {
                self.release.worked(now);
                self.left |= leaving;
                for lease in releasing {
                    self.leases.remove(&lease);
                }
            }
            Err(error) => {
                let passes = error.passes();
                self.release.failed(now, PAUSES.1);
                self.refused(now, &error, "give leases back", out);
                if passes {
                    self.back.extend(releasing);
                } else {
                    self.left = true;
                    for lease in releasing {
                        self.leases.remove(&lease);
                    }
                }
            }
        }
    }

    fn finished(&mut self, lease: &LeaseId, how: Finish) {
        match how {
            Finish::Ended => {
                self.leases.remove(lease);
            }
            Finish::Yielded => {
                if let Some(held) = self.leases.get_mut(lease) {
                    held.over = true;
                    self.back.push(lease.clone());
                }
            }
        }
    }

    /// Handles a refused call. New credentials may arrive while work goes on, but a server without this agent holds no
    /// leases of the agent.
    fn refused(&mut self, now: Moment, error: &PortError, what: &str, out: &mut Vec<Output>) {
        if error.passes() {
            out.push(Output::Warn(format!("could not {what}: {error}. Trying again")));
            return;
        }
        if matches!(error, PortError::Superseded(_) | PortError::Unknown(_)) {
            out.extend(self.leases.keys().cloned().map(|lease| Output::Execute(Command::Lost(lease))));
        }
        self.end_with(now, Err(error.clone()), out);
    }

    fn stop(&mut self, now: Moment, how: Result<(), PortError>, out: &mut Vec<Output>) {
        self.end_with(now, how, out);
        self.stop_by.get_or_insert(now + self.settings.grace + Duration::from_secs(5));
        for (lease, held) in &self.leases {
            if !held.over {
                out.push(Output::Execute(Command::Yield(lease.clone())));
            }
        }
    }

    /// Stops taking work; the agent ends with `how`.
    fn end_with(&mut self, now: Moment, how: Result<(), PortError>, out: &mut Vec<Output>) {
        if self.ending.is_none() {
            self.ending = Some(how);
            self.release.next = now;
            if self.pull.sent.take().is_some() {
                out.push(Output::DropPull);
            }
            self.pull_request = None;
        }
    }

    fn set_lease(&mut self, millis: u64) {
        self.lease = Duration::from_millis(millis.max(30));
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
