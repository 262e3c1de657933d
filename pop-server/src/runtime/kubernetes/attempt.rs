//! One attempt, from its launch to the end of its pod.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use pop_compiler::agenda::RunSpec;
use pop_sdk::api::{Failure, FailureClass, Ledger};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::bare::{self, Bare};
use super::digest::Digest;
use super::evidence;
use super::manifest;
use super::names;
use super::pods::{Claim, Event, Place};
use super::refusal::Refusal;
use super::words::{self, Outcomes};
use crate::run::fail;
use crate::runtime::shim::wire::{Assignment, Batch, Outcome, Receipt, Told};
use crate::runtime::{Launch, Reporter, Signal, Stop};

/// First and longest pause between two tries to create a pod.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// Pause between two tries while a quota is used up.
const QUOTA_PAUSE: Duration = Duration::from_secs(5);
/// Time for an outcome that may be on its way when the pod has ended.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// Time for the evidence of an end that nobody here asked for. The node tells it only after the end of its containers.
const EVIDENCE: Duration = Duration::from_secs(15);
/// Time in which the containers of a pod are usually created; then the pod's events are read.
const SET_UP: Duration = Duration::from_secs(15);
/// Time without any news of a running pod, after which the API server is asked.
const SILENCE: Duration = Duration::from_mins(1);
/// Grace of a pod that must end at once, and of one whose program has ended. With less, the API server would forget the
/// pod before the node has ended it.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Runs one attempt: sends its signals, then waits until its outcome is durable, then removes its pod.
pub(super) async fn run(
    shared: Arc<Shared>,
    launch: Launch,
    spec: Arc<RunSpec>,
    reporter: Reporter,
    stop: Stop,
    settled: CancellationToken,
) {
    let place = (
        shared.namespace(launch.customer.as_deref()),
        names::pod(&launch.agenda, &launch.operation, launch.key.attempt),
    );
    let keep = shared.config.keep_failed;
    let prepared = match prepare(&shared, &place, &launch, &spec, &reporter, &stop).await {
        Ok(prepared) => prepared,
        Err(failure) => return reporter.send(Signal::Exited(Err(failure))),
    };
    let (claim, inbox, pod) = prepared;
    let now = Instant::now();
    let mut attempt = Attempt {
        bare: manifest::is_bare(&spec).then(|| Bare::new(&launch, &spec)),
        claim,
        inbox,
        place,
        launch,
        spec,
        reporter: Some(reporter),
        stop,
        uid: String::new(),
        digest: None,
        asked: Asked::Nothing,
        next_signal: 0,
        started: false,
        since: now,
        heard: now,
        reason: String::new(),
        limit: None,
        failing: None,
        ended_at: None,
        mount: None,
        looked: None,
        outcomes: Outcomes::default(),
        ledger: Ledger::default(),
        shared,
    };
    let result = match attempt.create(pod).await {
        Ok(()) => attempt.follow().await,
        Err(failure) => Err(failure),
    };
    let failed = result.is_err();
    attempt.exit(result);
    attempt.hold(&settled).await;
    attempt.claim.fence();
    if failed && !keep.is_zero() && attempt.asked == Asked::Nothing {
        tokio::select! {
            () = tokio::time::sleep(keep) => {}
            () = attempt.stop.killed() => {}
        }
    }
    attempt.remove().await;
}

/// Checks the pool's rules, makes the pod, and waits until no earlier start of the attempt has it.
async fn prepare(
    shared: &Arc<Shared>,
    place: &Place,
    launch: &Launch,
    spec: &RunSpec,
    reporter: &Reporter,
    stop: &Stop,
) -> Result<(Claim, mpsc::UnboundedReceiver<Event>, k8s_openapi::api::core::v1::Pod), Failure> {
    shared.config.policy.check(&launch.kind, spec, shared.common.artifacts.as_ref())?;
    let pod = manifest::pod(&shared.common, &place.0, &place.1, launch, spec)?;
    let mut said = false;
    let (claim, inbox) = loop {
        let mut freed = std::pin::pin!(shared.pods.freed());
        freed.as_mut().enable();
        if let Some(claimed) = shared.pods.claim(place) {
            break claimed;
        }
        if !std::mem::replace(&mut said, true) {
            let reason = "an earlier start of the same attempt has not ended yet".to_owned();
            reporter.send(Signal::Waiting { reason });
        }
        tokio::select! {
            () = stop.asked() => return Err(words::stopped_before()),
            () = freed => {}
        }
    };
    // The watch must see the pod's first change.
    tokio::select! {
        () = stop.asked() => return Err(words::stopped_before()),
        seen = shared.pods.watch(&shared.cluster, &place.0, &shared.common.owner) => {
            seen.map_err(|why| words::no_right(&why))?;
        }
    }
    Ok((claim, inbox, pod))
}

/// What the driver has asked of the attempt so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Nothing,
    Terminate,
    Kill,
}

struct Attempt {
    shared: Arc<Shared>,
    claim: Claim,
    inbox: mpsc::UnboundedReceiver<Event>,
    place: Place,
    launch: Launch,
    spec: Arc<RunSpec>,
    /// None after the attempt's exit.
    reporter: Option<Reporter>,
    stop: Stop,
    /// The pod's UID; empty before the pod exists.
    uid: String,
    digest: Option<Arc<Digest>>,
    asked: Asked,
    /// Set for an image that runs without the shim.
    bare: Option<Bare>,
    /// Number of the next signal of the shim. A restarted agent starts with any number.
    next_signal: u64,
    started: bool,
    /// When the attempt began to wait.
    since: Instant,
    /// The last news of the pod or its shim.
    heard: Instant,
    /// The last told reason for waiting.
    reason: String,
    /// The failure of the present state, and when it counts.
    limit: Option<(Instant, Failure)>,
    /// The failure of a pod that is being deleted because it can't start.
    failing: Option<Failure>,
    /// When the container was seen as ended, without an outcome.
    ended_at: Option<Instant>,
    /// The newest event about the pod's volumes, and when the events were read.
    mount: Option<String>,
    looked: Option<Instant>,
    outcomes: Outcomes,
    /// The moments that are known.
    ledger: Ledger,
}

impl Attempt {
    fn send(&self, signal: Signal) {
        if let Some(reporter) = &self.reporter {
            reporter.send(signal);
        }
    }

    fn waiting(&mut self, reason: &str) {
        if self.reason != reason {
            reason.clone_into(&mut self.reason);
            self.send(Signal::Waiting { reason: reason.to_owned() });
        }
    }

    /// Creates the pod, or takes the existing pod of this attempt over.
    async fn create(&mut self, pod: k8s_openapi::api::core::v1::Pod) -> Result<(), Failure> {
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        let pauses = || {
            let builder = ExponentialBuilder::new().with_min_delay(PAUSES.0).with_max_delay(PAUSES.1);
            builder.without_max_times().build()
        };
        let mut pause = pauses();
        // Whether a create got no answer, so that the pod may exist.
        let mut doubtful = false;
        loop {
            let (namespace, name) = (self.place.0.clone(), self.place.1.clone());
            let made = shared.cluster.create(&namespace, &pod).await;
            doubtful |= matches!(made, Err(Refusal::Later(..)));
            let (why, after) = match made {
                Ok(digest) => {
                    self.own(digest);
                    break;
                }
                Err(Refusal::AlreadyExists) => match shared.cluster.get(&namespace, &name).await {
                    Ok(Some(there)) if self.is_ours(&there) && !there.deleting => {
                        // An earlier agent heard the program's first word; soon after its start, as usual.
                        self.ledger.spoke_at = there.started;
                        self.ledger.posted_at = there.created;
                        self.own(there);
                        break;
                    }
                    Ok(Some(there)) if self.is_ours(&there) => {
                        ("an earlier start of the same attempt has not ended yet".to_owned(), PAUSES.0)
                    }
                    Ok(None) => ("a pod that is not POP's has the name of this pod".to_owned(), QUOTA_PAUSE),
                    Ok(Some(_)) => {
                        let message = format!(
                            "pod {name} belongs to another attempt. Please report this fault of POP."
                        );
                        return Err(fail(FailureClass::Platform, "PodNameTaken", message));
                    }
                    Err(refusal) => (refusal.text().to_owned(), PAUSES.0),
                },
                Err(Refusal::Quota(why)) => (why, QUOTA_PAUSE),
                Err(Refusal::Later(why, after)) => (why, after.max(pause.next().unwrap_or(PAUSES.1))),
                Err(Refusal::Conflict) => ("the API server reports a conflict".to_owned(), PAUSES.0),
                Err(Refusal::NotFound(why)) => return Err(words::no_namespace(&why)),
                Err(Refusal::Right(why)) => return Err(words::no_right(&why)),
                Err(Refusal::Policy(why)) => return Err(words::refused(&why)),
            };
            self.waiting(&why);
            if self.since.elapsed() > shared.config.pending_timeout {
                let failure = evidence::waited(&why, shared.config.pending_timeout);
                return self.give_up(failure, doubtful).await;
            }
            tokio::select! {
                () = stop.asked() => return self.give_up(words::stopped_before(), doubtful).await,
                () = tokio::time::sleep(after) => {}
            }
        }
        if self.bare.is_some() && self.failing.is_none() {
            let last = shared.last_progress(&self.launch);
            let secret = bare::secret(&self.launch, &self.spec, &self.place, &self.uid, last.as_deref())?;
            let mut pause = pauses();
            loop {
                match shared.cluster.create_secret(&self.place.0, &secret).await {
                    Ok(()) | Err(Refusal::AlreadyExists) => break,
                    Err(Refusal::Later(why, after)) => {
                        self.waiting(&why);
                        tokio::time::sleep(after.max(pause.next().unwrap_or(PAUSES.1))).await;
                    }
                    Err(Refusal::Right(why)) => {
                        self.failing = Some(words::no_right(&why));
                        break;
                    }
                    Err(refusal) => {
                        self.failing = Some(words::refused(refusal.text()));
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Stops trying to create the pod. A create without an answer may have made the pod: then [`follow`](Self::follow)
    /// ends the pod before the attempt ends.
    async fn give_up(&mut self, failure: Failure, doubtful: bool) -> Result<(), Failure> {
        if !doubtful {
            return Err(failure);
        }
        loop {
            match self.shared.cluster.get(&self.place.0, &self.place.1).await {
                Ok(Some(there)) if self.is_ours(&there) => {
                    self.own(there);
                    self.failing = Some(failure);
                    return Ok(());
                }
                Err(Refusal::Later(_, after)) => tokio::time::sleep(after).await,
                Ok(_) | Err(_) => return Err(failure),
            }
        }
    }

    fn is_ours(&self, there: &Digest) -> bool {
        (there.agenda.as_str(), there.operation.as_str(), there.attempt)
            == (
                names::label_value(&self.launch.agenda).as_str(),
                &*self.launch.operation,
                self.launch.key.attempt,
            )
    }

    fn own(&mut self, digest: Digest) {
        self.ledger.posted_at.get_or_insert_with(|| self.shared.config.clock.now());
        self.uid.clone_from(&digest.uid);
        self.claim.bind(&digest.uid);
        // The watch may have told more than the answer to the create.
        let known = self.claim.known().filter(|known| known.uid == digest.uid);
        self.digest = Some(known.unwrap_or_else(|| Arc::new(digest)));
        self.heard = Instant::now();
    }

    /// Follows the pod to the attempt's result.
    async fn follow(&mut self) -> Result<Value, Failure> {
        if self.failing.is_some() {
            self.delete(AT_ONCE);
        }
        if let Some(result) = self.look() {
            return result;
        }
        let stop = self.stop.clone();
        loop {
            let wake = self.next_wake();
            tokio::select! {
                biased;
                event = self.inbox.recv() => {
                    let Some(event) = event else { return Err(words::internal()) };
                    if let Some(result) = self.on(event).await {
                        return result;
                    }
                }
                () = stop.killed(), if self.asked < Asked::Kill => {
                    self.asked = Asked::Kill;
                    self.delete(AT_ONCE);
                }
                () = stop.asked(), if self.asked < Asked::Terminate => {
                    self.asked = Asked::Terminate;
                    let mut grace = manifest::grace(&self.spec, self.shared.common.grace);
                    if self.bare.is_none() {
                        grace += LAST_WORDS;
                    }
                    self.delete(grace.max(AT_ONCE));
                }
                () = tokio::time::sleep_until(wake) => {
                    if let Some(result) = self.tick().await {
                        return result;
                    }
                }
            }
        }
    }

    /// Deletes the pod, in the background.
    fn delete(&self, grace: Duration) {
        let (shared, place, uid) = (Arc::clone(&self.shared), self.place.clone(), self.uid.clone());
        tokio::spawn(async move { shared.cluster.delete_surely(&place.0, &place.1, &uid, grace).await });
    }

    async fn on(&mut self, event: Event) -> Option<Result<Value, Failure>> {
        self.heard = Instant::now();
        match event {
            Event::Pod(digest) if digest.uid == self.uid => {
                self.digest = Some(digest);
                self.look()
            }
            Event::Gone(digest) if digest.uid == self.uid => {
                self.digest = Some(digest);
                self.gone().await
            }
            // An earlier pod of this name.
            Event::Pod(_) | Event::Gone(_) => None,
            Event::Missing => self.ask().await,
            Event::Assignment(reply) => {
                let _ = reply.send(Arc::new(self.assignment()));
                None
            }
            Event::Signals(batch, reply) => {
                self.signals(batch);
                let _ = reply.send(());
                None
            }
            Event::Outcome(outcome, reply) => self.outcome(outcome, Some(reply)).await,
        }
    }

    /// Looks at the pod's state.
    fn look(&mut self) -> Option<Result<Value, Failure>> {
        let digest = self.digest.clone()?;
        if let Some(bare) = &mut self.bare {
            let signals = bare.look(&digest, &self.shared, &self.place, self.reporter.as_ref());
            for signal in signals {
                if signal == Signal::Started {
                    self.started = true;
                    self.moments();
                }
                self.send(signal);
            }
        }
        if digest.ended.is_some() || digest.is_over() {
            self.ended_at.get_or_insert_with(Instant::now);
            return None;
        }
        if !self.started && digest.started.is_none() && self.failing.is_none() {
            let pending = evidence::pending(&digest, self.mount.as_deref(), self.shared.config.patience);
            self.waiting(&pending.reason);
            self.limit = match (self.limit.take(), pending.limit) {
                (Some((at, old)), Some((_, new))) if old.code == new.code => Some((at, new)),
                (_, Some((after, failure))) => Some((Instant::now() + after, failure)),
                (_, None) => None,
            };
        } else if digest.started.is_some() {
            self.limit = None;
        }
        let silent = digest.disruption.as_ref().is_some_and(|(reason, _)| reason == "DeletionByTaintManager");
        if silent && digest.deleting && digest.started.is_some() && self.asked == Asked::Nothing {
            if self.spec.idempotent {
                return Some(Err(evidence::lost(&digest, true, false)));
            }
            let node = digest.node.as_deref().unwrap_or("unknown");
            self.waiting(&format!(
                "node {node} is silent, so the program may still run. POP waits until the node is back or the pod is gone"
            ));
        }
        None
    }

    /// When [`tick`](Self::tick) has something to do.
    fn next_wake(&self) -> Instant {
        let pending = !self.started && self.ended_at.is_none();
        let waits = pending.then(|| self.since + self.shared.config.pending_timeout);
        let limit = self.limit.as_ref().map(|(at, _)| *at);
        let last_words = self.ended_at.map(|at| at + LAST_WORDS);
        let set_up = pending.then(|| self.looked.unwrap_or(self.since) + SET_UP);
        let times = [waits, limit, last_words, set_up, Some(self.heard + SILENCE)];
        times.into_iter().flatten().min().unwrap_or(self.heard + SILENCE)
    }

    async fn tick(&mut self) -> Option<Result<Value, Failure>> {
        let now = Instant::now();
        if self.ended_at.is_some_and(|at| at + LAST_WORDS <= now) {
            let digest = self.digest.clone()?;
            return Some(self.conclude(&digest, false).await);
        }
        if self.failing.is_none() && self.asked == Asked::Nothing {
            let limit = self.limit.take_if(|(at, _)| *at <= now).map(|(_, failure)| failure);
            let timeout = self.shared.config.pending_timeout;
            let waited = (!self.started && self.since + timeout <= now)
                .then(|| evidence::waited(&self.reason, timeout));
            if let Some(failure) = limit.or(waited) {
                // The pod may start at this moment, so its end is waited for.
                self.failing = Some(failure);
                self.delete(AT_ONCE);
                self.since = now;
                return None;
            }
        }
        let pending = !self.started && self.ended_at.is_none();
        if pending && self.looked.unwrap_or(self.since) + SET_UP <= now {
            self.looked = Some(now);
            let blocked = self
                .digest
                .as_ref()
                .is_some_and(|digest| digest.blocked.is_some() || digest.unschedulable.is_some());
            if !blocked && !self.uid.is_empty() {
                self.mount = self.shared.cluster.set_up_failure(&self.place.0, &self.uid).await;
                return self.look();
            }
            return None;
        }
        if self.heard + SILENCE <= now {
            return self.ask().await;
        }
        None
    }

    /// Asks the API server for the pod.
    async fn ask(&mut self) -> Option<Result<Value, Failure>> {
        self.heard = Instant::now();
        match self.shared.cluster.get(&self.place.0, &self.place.1).await {
            Ok(Some(digest)) if digest.uid == self.uid => {
                self.digest = Some(Arc::new(digest));
                self.look()
            }
            Ok(_) => self.gone().await,
            // Ask again soon.
            Err(_) => {
                self.heard = Instant::now().checked_sub(SILENCE * 9 / 10).unwrap_or(self.heard);
                None
            }
        }
    }

    /// The pod does not exist any more.
    async fn gone(&mut self) -> Option<Result<Value, Failure>> {
        // What the shim said last may be waiting in the inbox.
        while let Ok(event) = self.inbox.try_recv() {
            match event {
                Event::Outcome(outcome, reply) => return self.outcome(outcome, Some(reply)).await,
                Event::Signals(batch, reply) => {
                    self.signals(batch);
                    let _ = reply.send(());
                }
                _ => {}
            }
        }
        let digest = self.digest.clone()?;
        Some(self.conclude(&digest, true).await)
    }

    /// The result of an attempt whose pod has ended without an outcome of a shim.
    async fn conclude(&mut self, digest: &Digest, gone: bool) -> Result<Value, Failure> {
        if let Some(failure) = self.failing.take() {
            return Err(failure);
        }
        if self.asked > Asked::Nothing {
            return Err(words::stopped(digest));
        }
        if let Some(bare) = &mut self.bare {
            return bare.conclude(digest, &self.spec, gone, &self.shared, &self.launch).await;
        }
        let left = digest.ended.as_ref().filter(|ended| ended.container == names::MAIN);
        if let Some(outcome) = left.and_then(|ended| words::unpack(&ended.message)) {
            return match self.outcome(outcome, None).await {
                Some(result) => result,
                None => Err(words::internal()),
            };
        }
        Err(evidence::lost(digest, self.spec.idempotent, gone))
    }

    fn assignment(&self) -> Assignment {
        let launch = &self.launch;
        let config = &self.shared.config;
        Assignment {
            agenda: launch.agenda.clone(),
            epoch: launch.epoch,
            customer: launch.customer.clone(),
            cid: launch.cid.clone(),
            operation: launch.operation.clone(),
            operation_id: launch.operation_id.clone(),
            kind: launch.kind.clone(),
            attempt: launch.key.attempt,
            spec: self.spec.as_ref().clone(),
            payload: launch.payload.clone(),
            grace_ms: u64::try_from(manifest::grace(&self.spec, self.shared.common.grace).as_millis())
                .unwrap_or(u64::MAX),
            output_limit: config.output_limit,
            log_limit: config.log_limit,
            last_progress: self.shared.last_progress(launch),
        }
    }

    /// Passes new signals on. A repeated batch has the numbers of the first one.
    fn signals(&mut self, batch: Batch) {
        if self.next_signal == 0 {
            self.next_signal = batch.first;
        }
        let known = usize::try_from(self.next_signal.saturating_sub(batch.first)).unwrap_or(usize::MAX);
        let end = batch.first + batch.signals.len() as u64;
        // A shim that has spoken has started; a restarted agent may have missed the signal.
        if !std::mem::replace(&mut self.started, true) {
            self.moments();
            self.send(Signal::Started);
        }
        for told in batch.signals.into_iter().skip(known) {
            let signal = match told {
                Told::Waiting { reason } => Signal::Waiting { reason },
                Told::Started => continue,
                Told::Progress { percent, message } => Signal::Progress { percent, message },
                Told::Log { stream, offset, text } => {
                    let stream = match stream.as_str() {
                        "stdout" => "stdout",
                        "stderr" => "stderr",
                        _ => "pop",
                    };
                    Signal::Log { stream, offset, text }
                }
            };
            self.send(signal);
        }
        self.next_signal = self.next_signal.max(end);
    }

    /// The attempt's result, as its shim tells it.
    async fn outcome(
        &mut self,
        outcome: Outcome,
        reply: Option<oneshot::Sender<Receipt>>,
    ) -> Option<Result<Value, Failure>> {
        self.outcomes.keep(reply);
        self.ledger.exited_at = outcome.ended_at;
        self.shared.keep_progress(&self.launch, &outcome);
        let failure = match outcome.result {
            Err(failure) if failure.code == "Stopped" && self.asked == Asked::Nothing => failure,
            Err(failure) if self.failing.is_some() && failure.code == "Stopped" => {
                return Some(Err(self.failing.take().unwrap_or(failure)));
            }
            result => return Some(result),
        };
        // Somebody else ended the pod: Kubernetes, or a person. The pod tells who.
        let until = Instant::now() + EVIDENCE;
        while !self.digest.as_ref().is_some_and(|digest| evidence::is_ending(digest)) {
            tokio::select! {
                event = self.inbox.recv() => match event? {
                    Event::Pod(digest) | Event::Gone(digest) if digest.uid == self.uid => self.digest = Some(digest),
                    Event::Outcome(_, reply) => self.outcomes.keep(Some(reply)),
                    _ => {}
                },
                () = tokio::time::sleep_until(until) => break,
            }
        }
        let digest = self.digest.clone()?;
        let mut why = evidence::interrupted(&digest, self.spec.idempotent);
        (why.exit_code, why.signal, why.log_tail) = (failure.exit_code, failure.signal, failure.log_tail);
        Some(Err(why))
    }

    /// Tells the moments that are known by now.
    fn moments(&mut self) {
        let now = self.shared.config.clock.now();
        if self.started {
            self.ledger.spoke_at.get_or_insert(now);
        }
        if let Some(digest) = &self.digest {
            self.ledger.pod = Some(digest.name.clone());
            self.ledger.node.clone_from(&digest.node);
            self.ledger.scheduled_at = digest.scheduled;
            self.ledger.pulled_at = digest.pulled;
            self.ledger.container_at = digest.started;
            let ended = digest.ended.as_ref().and_then(|ended| ended.at);
            self.ledger.exited_at = self.ledger.exited_at.or(ended);
        }
        self.send(Signal::Moments(Box::new(self.ledger.clone())));
    }

    /// Tells the result. No signal follows.
    fn exit(&mut self, result: Result<Value, Failure>) {
        self.ledger.reported_at = Some(self.shared.config.clock.now());
        self.moments();
        self.send(Signal::Exited(result));
        self.reporter = None;
    }

    /// Waits until the result is durable or not needed, then confirms it to the shim.
    async fn hold(&mut self, settled: &CancellationToken) {
        loop {
            tokio::select! {
                () = settled.cancelled() => break,
                event = self.inbox.recv() => match event {
                    Some(Event::Outcome(_, reply)) => self.outcomes.keep(Some(reply)),
                    Some(Event::Signals(_, reply)) => {
                        let _ = reply.send(());
                    }
                    Some(_) => {}
                    None => break,
                },
            }
        }
        self.outcomes.confirm();
    }

    /// Deletes the pod, and waits until the API server has heard it.
    async fn remove(&self) {
        if !self.uid.is_empty() {
            self.shared.cluster.delete_surely(&self.place.0, &self.place.1, &self.uid, AT_ONCE).await;
        }
    }
}
