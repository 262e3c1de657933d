//! What an agent knows and decides, without a clock or a server: what happens and the time come in, calls and commands come
//! out. A lease is named by agenda and epoch throughout, so an answer about an earlier lease never touches a later one.
//!
//! *Fencing.* A lease counts from the moment at which the last renewal that was answered had been sent. If none is answered
//! for long enough, the agent stops its programs before the server may hand the agenda to another agent: politely at
//! first, then at once.

use std::collections::BTreeMap;
use std::time::Duration;

use pop_sdk::api::{AttachResponse, Lease, LeaseId, PullResponse, ReleaseResponse, RenewResponse};

use crate::pool::executor::{Command, Finish, Finished};
use crate::pool::port::PortError;

/// How long one pull waits for work.
const PULL_WAIT: Duration = Duration::from_secs(20);
/// Pauses between tries, the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A moment by a clock that goes on while the machine sleeps and never steps; since an arbitrary start.
pub(super) type Moment = Duration;

/// What an agent is set to.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// This start of the agent; pulls are numbered below it.
    pub(super) instance: String,
    /// How many agendas it runs at the same time.
    pub(super) slots: usize,
    /// How long a program may take to end after it was asked to.
    pub(super) grace: Duration,
}

/// What comes in.
#[derive(Clone, Debug)]
pub(super) enum Input {
    Attached(Result<AttachResponse, PortError>),
    /// The answer to the pull.
    Pulled(Result<PullResponse, PortError>),
    /// The answer to the renewal.
    Renewed(Result<RenewResponse, PortError>),
    /// The answer to the release.
    Released(Result<ReleaseResponse, PortError>),
    /// A lease is over in the executor.
    Finished(Finished),
    /// The agent is to stop.
    Stop,
    /// Time has passed.
    Tick,
}

/// What goes out. At most one call of each kind is under way at a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Output {
    Attach,
    Pull {
        count: u32,
        wait: Duration,
        request: String,
        limit: Duration,
    },
    /// The answer to the pull is not wanted any more.
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
    /// No program may start or live on after that moment, unless this is said again; none: as long as they like.
    FenceAt(Option<Moment>),
    /// Something that operators should know.
    Warn(String),
    /// The agent has ended.
    End(Result<(), PortError>),
}

/// Everything.
#[derive(Debug)]
pub(super) struct Agent {
    settings: Settings,
    lease: Duration,
    attached: bool,
    leases: BTreeMap<LeaseId, HeldLease>,
    /// Leases that are to be given back.
    back: Vec<LeaseId>,
    pulls: u64,
    pull: Call,
    /// Repeated as it was until it is answered, so that what it was given is not lost.
    pull_request: Option<(u32, String)>,
    renew: Call,
    renewed: Vec<LeaseId>,
    release: Call,
    releasing: Releasing,
    attach: Call,
    /// Why the agent takes no more work; it ends when what it has is over.
    ending: Option<Result<(), PortError>>,
    stop_by: Option<Moment>,
    left: bool,
    ended: bool,
    fence: Option<Moment>,
}

/// A release that is under way.
#[derive(Debug, Default)]
struct Releasing {
    leases: Vec<LeaseId>,
    /// Whether it says that the agent goes.
    leaving: bool,
}

/// A lease.
#[derive(Debug)]
struct HeldLease {
    /// When the last renewal that was answered had been sent; at first, when the pull was.
    renewed_at: Moment,
    /// What was done because it could not be renewed.
    fenced: Fenced,
    /// The executor has let it go; it waits to be given back, or for the server to hear nothing more of it.
    over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fenced {
    No,
    Stopped,
    Killed,
}

/// One kind of call: when it was sent, or when it may be sent again.
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

    /// Takes one input in. Total: what does not fit the state has no effect.
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

    /// When [`Input::Tick`] has something to do.
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

    /// Leases are counted shorter than they are by a tenth, for what travels and for clocks that don't run the same.
    pub(super) fn margin(&self) -> Duration {
        self.lease / 10
    }

    /// How long after its last renewal a lease's programs are stopped, and when they are killed.
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

    /// Whether nothing runs any more and the server is to hear that the agent goes.
    fn is_leaving(&self) -> bool {
        let gone = matches!(self.ending, Some(Err(PortError::Superseded(_) | PortError::Unknown(_))));
        self.attached && self.ending.is_some() && !gone && self.leases.values().all(|held| held.over)
    }

    /// Makes the calls that are due, and ends when there is nothing left to do.
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
                // How old the answer may be: all that the server did not wait.
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
        // An agent that was stopped while the answer was on its way must not start what may be somebody else's by now.
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
                // An answer that came early, for a cancel, is followed by another call soon: it waits for the next cancel.
                self.renew.worked(now.max(sent + self.lease / 60));
                for lease in &renewed {
                    if let Some(held) = self.leases.get_mut(lease) {
                        held.renewed_at = held.renewed_at.max(sent);
                    }
                }
                for lease in response.lost {
                    // The executor still has it until nothing of it runs; another lease of the agenda waits there for that.
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

    /// What a refused call means. Credentials may be mended while work goes on; a server that knows nothing of this agent
    /// holds no leases of it.
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

    /// No more work is taken.
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
