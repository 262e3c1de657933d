//! The pods of a pool as the API server last told, and the attempts that follow them. One watch serves all pods of a
//! namespace.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use kube::runtime::watcher;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::cluster::Cluster;
use super::digest::Digest;
use super::names::Owner;
use super::refusal::Refusal;
use super::rights;
use crate::runtime::shim::wire::{Assignment, Batch, Outcome, Receipt};

/// Longest pause before a broken watch starts again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What an attempt hears about its pod.
#[derive(Debug)]
pub(super) enum Event {
    /// The pod as it is now.
    Pod(Arc<Digest>),
    /// The pod is gone; its last state.
    Gone(Arc<Digest>),
    /// A new list lacks the pod. The API server must be asked before that is believed.
    Missing,
    /// The shim asks for its attempt.
    Assignment(oneshot::Sender<Arc<Assignment>>),
    /// The shim tells signals.
    Signals(Batch, oneshot::Sender<()>),
    /// The shim tells the outcome.
    Outcome(Outcome, oneshot::Sender<Receipt>),
}

/// Place of a pod: namespace and name.
pub(super) type Place = (String, String);

/// All pods of a pool.
#[derive(Debug, Default)]
pub(super) struct Pods {
    state: Mutex<State>,
    /// Notified when an attempt lets its pod go.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Place, Known>,
    inboxes: HashMap<Place, mpsc::UnboundedSender<Event>>,
    /// The pods whose shims may report, by UID.
    reporting: HashMap<String, Place>,
    /// The UIDs of pods whose attempts are over.
    fenced: HashSet<String>,
    /// The watched namespaces.
    namespaces: HashMap<String, watch::Receiver<Sight>>,
}

/// How far the pods of a namespace are known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sight {
    /// The first list is on its way.
    Nothing,
    /// A missing right forbids the list; the API server's sentence.
    Refused(String),
    /// There was a whole list.
    Whole,
}

#[derive(Debug)]
struct Known {
    digest: Arc<Digest>,
    /// When nobody followed the pod for the first time.
    alone_since: Instant,
    /// Whether the pod was offered to a run, which did not take it.
    offered: Option<Instant>,
}

/// Why a report finds no attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAttempt {
    /// The attempt is over.
    Fenced,
    /// No attempt follows the pod, or not yet.
    Unknown,
}

impl Pods {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims a pod's name for an attempt; none while an earlier attempt has it.
    pub(super) fn claim(self: &Arc<Self>, place: &Place) -> Option<(Claim, mpsc::UnboundedReceiver<Event>)> {
        let mut state = self.state();
        if state.inboxes.contains_key(place) {
            return None;
        }
        let (sender, inbox) = mpsc::unbounded_channel();
        state.inboxes.insert(place.clone(), sender);
        Some((Claim { pods: Arc::clone(self), place: place.clone(), uid: None }, inbox))
    }

    /// Waits until an attempt lets its pod go after this call.
    pub(super) fn freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.freed.notified()
    }

    /// Sends an event of the pod with this UID to its attempt.
    pub(super) fn tell(&self, uid: &str, event: Event) -> Result<(), NoAttempt> {
        let state = self.state();
        if state.fenced.contains(uid) {
            return Err(NoAttempt::Fenced);
        }
        let inbox = state.reporting.get(uid).and_then(|place| state.inboxes.get(place));
        inbox.and_then(|inbox| inbox.send(event).ok()).ok_or(NoAttempt::Unknown)
    }

    /// Takes the newest state of a pod.
    pub(super) fn apply(&self, namespace: &str, digest: Digest) {
        let (place, digest) = ((namespace.to_owned(), digest.name.clone()), Arc::new(digest));
        let mut state = self.state();
        let known = Known { digest: Arc::clone(&digest), alone_since: Instant::now(), offered: None };
        match state.known.entry(place.clone()) {
            std::collections::hash_map::Entry::Occupied(mut old) => {
                let old = old.get_mut();
                if old.digest.uid == digest.uid {
                    old.digest = Arc::clone(&digest);
                } else {
                    *old = known;
                }
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(known);
            }
        }
        if let Some(inbox) = state.inboxes.get(&place) {
            let _ = inbox.send(Event::Pod(digest));
        }
    }

    fn gone(&self, namespace: &str, digest: Digest) {
        let place = (namespace.to_owned(), digest.name.clone());
        let mut state = self.state();
        if state.known.get(&place).is_some_and(|known| known.digest.uid == digest.uid) {
            state.known.remove(&place);
        }
        state.fenced.remove(&digest.uid);
        if let Some(inbox) = state.inboxes.get(&place) {
            let _ = inbox.send(Event::Gone(Arc::new(digest)));
        }
    }

    /// A new list is complete: forgets what is not in it.
    fn listed(&self, namespace: &str, names: &HashSet<String>) {
        let mut state = self.state();
        let missing: Vec<Place> = state
            .known
            .keys()
            .filter(|(of, name)| of == namespace && !names.contains(name))
            .cloned()
            .collect();
        for place in missing {
            state.known.remove(&place);
            if let Some(inbox) = state.inboxes.get(&place) {
                let _ = inbox.send(Event::Missing);
            }
        }
    }

    /// Watches a namespace from now on, and waits for its first list.
    ///
    /// # Errors
    /// A right is missing; the API server's sentence. The watch goes on, so a later call may succeed.
    pub(super) async fn watch(
        self: &Arc<Self>,
        cluster: &Arc<Cluster>,
        namespace: &str,
        owner: &Owner,
    ) -> Result<(), String> {
        let mut listed = {
            let mut state = self.state();
            if let Some(listed) = state.namespaces.get(namespace) {
                listed.clone()
            } else {
                let (done, listed) = watch::channel(Sight::Nothing);
                state.namespaces.insert(namespace.to_owned(), listed.clone());
                let (pods, cluster) = (Arc::clone(self), Arc::clone(cluster));
                let (namespace, owner) = (namespace.to_owned(), owner.clone());
                tokio::spawn(async move {
                    tokio::join!(
                        follow(&pods, &cluster, &namespace, &owner, &done),
                        rights::review(&cluster, &namespace)
                    )
                });
                listed
            }
        };
        // The watch goes on as long as this process.
        match listed.wait_for(|sight| *sight != Sight::Nothing).await.as_deref() {
            Ok(Sight::Refused(why)) => Err(why.clone()),
            _ => Ok(()),
        }
    }

    /// The watched namespaces.
    pub(super) fn namespaces(&self) -> Vec<String> {
        self.state().namespaces.keys().cloned().collect()
    }

    /// The pods of an agenda that no attempt follows and that nobody has deleted.
    pub(super) fn of_agenda(&self, agenda: &str) -> Vec<(Place, Arc<Digest>)> {
        let mut state = self.state();
        let State { known, inboxes, .. } = &mut *state;
        let alone = known.iter_mut().filter(|(place, known)| {
            known.digest.agenda == agenda && !known.digest.deleting && !inboxes.contains_key(*place)
        });
        alone
            .map(|(place, known)| {
                known.offered = Some(Instant::now());
                (place.clone(), Arc::clone(&known.digest))
            })
            .collect()
    }

    /// The pods of this agent that no attempt follows: since `offered` after a run did not take them, or since `alone`
    /// otherwise.
    pub(super) fn orphans(
        &self,
        agent: &str,
        offered: Duration,
        alone: Duration,
    ) -> Vec<(Place, Arc<Digest>)> {
        let state = self.state();
        let orphans = state.known.iter().filter(|(place, known)| {
            let long = known.offered.map_or(known.alone_since.elapsed() > alone, |at| at.elapsed() > offered);
            known.digest.agent == agent
                && !known.digest.deleting
                && long
                && !state.inboxes.contains_key(*place)
        });
        orphans.map(|(place, known)| (place.clone(), Arc::clone(&known.digest))).collect()
    }
}

/// One attempt's hold on its pod's name.
#[derive(Debug)]
pub(super) struct Claim {
    pods: Arc<Pods>,
    place: Place,
    uid: Option<String>,
}

impl Claim {
    /// From now on the shim of this pod may report.
    pub(super) fn bind(&mut self, uid: &str) {
        self.pods.state().reporting.insert(uid.to_owned(), self.place.clone());
        self.uid = Some(uid.to_owned());
    }

    /// From now on the shim of this pod is refused.
    pub(super) fn fence(&mut self) {
        let mut state = self.pods.state();
        if let Some(uid) = self.uid.take() {
            state.reporting.remove(&uid);
            state.fenced.insert(uid);
        }
    }

    /// The pod's present state.
    pub(super) fn known(&self) -> Option<Arc<Digest>> {
        self.pods.state().known.get(&self.place).map(|known| Arc::clone(&known.digest))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.pods.state();
        state.inboxes.remove(&self.place);
        if let Some(uid) = self.uid.take() {
            state.reporting.remove(&uid);
        }
        if let Some(known) = state.known.get_mut(&self.place) {
            known.alone_since = Instant::now();
        }
        drop(state);
        self.pods.freed.notify_waiters();
    }
}

/// Follows the pods of a namespace, for ever.
async fn follow(pods: &Pods, cluster: &Cluster, namespace: &str, owner: &Owner, done: &watch::Sender<Sight>) {
    let mut events = std::pin::pin!(cluster.watch(namespace, owner));
    let mut listing = HashSet::new();
    let mut pause = Duration::from_millis(100);
    let mut warned = false;
    loop {
        match events.next().await {
            Some(Ok(event)) => {
                // The start of a list is no sign that the API server is there.
                if !matches!(event, watcher::Event::Init) {
                    (pause, warned) = (Duration::from_millis(100), false);
                }
                match event {
                    watcher::Event::Init => listing.clear(),
                    watcher::Event::InitApply(pod) => {
                        if let Some(digest) = Digest::of(pod) {
                            listing.insert(digest.name.clone());
                            pods.apply(namespace, digest);
                        }
                    }
                    watcher::Event::InitDone => {
                        pods.listed(namespace, &listing);
                        listing.clear();
                        done.send_replace(Sight::Whole);
                    }
                    watcher::Event::Apply(pod) => {
                        if let Some(digest) = Digest::of(pod) {
                            pods.apply(namespace, digest);
                        }
                    }
                    watcher::Event::Delete(pod) => {
                        if let Some(digest) = Digest::of(pod) {
                            pods.gone(namespace, digest);
                        }
                    }
                }
            }
            Some(Err(error)) => {
                if let Refusal::Right(why) = Refusal::of_watch(&error)
                    && *done.borrow() != Sight::Whole
                {
                    done.send_replace(Sight::Refused(why));
                }
                // One warning for each outage.
                if !std::mem::replace(&mut warned, true) {
                    let why = super::refusal::chain(&error);
                    tracing::warn!(namespace, why, "lost sight of the pods; trying again");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: &str, uid: &str) -> Digest {
        Digest {
            name: name.into(),
            uid: uid.into(),
            agenda: "ag_1".into(),
            agent: "a".into(),
            ..Digest::default()
        }
    }

    fn place() -> Place {
        ("n".into(), "p".into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_has_one_attempt_at_a_time() {
        let pods = Arc::new(Pods::default());
        let (mut claim, mut inbox) = pods.claim(&place()).unwrap();
        assert!(pods.claim(&place()).is_none());
        claim.bind("u1");
        pods.apply("n", digest("p", "u1"));
        assert!(matches!(inbox.try_recv(), Ok(Event::Pod(_))));
        assert_eq!(pods.tell("u1", Event::Missing), Ok(()));
        assert_eq!(pods.tell("u2", Event::Missing), Err(NoAttempt::Unknown));
        claim.fence();
        assert_eq!(pods.tell("u1", Event::Missing), Err(NoAttempt::Fenced));
        drop(claim);
        assert!(pods.claim(&place()).is_some());
        pods.gone("n", digest("p", "u1"));
        assert_eq!(
            pods.tell("u1", Event::Missing),
            Err(NoAttempt::Unknown),
            "nothing is remembered for ever"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_lacks_a_pod_makes_its_attempt_ask() {
        let pods = Arc::new(Pods::default());
        let (_claim, mut inbox) = pods.claim(&place()).unwrap();
        pods.apply("n", digest("p", "u1"));
        inbox.try_recv().unwrap();
        pods.listed("other", &HashSet::new());
        assert!(inbox.try_recv().is_err());
        pods.listed("n", &HashSet::new());
        assert!(matches!(inbox.try_recv(), Ok(Event::Missing)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_that_no_run_takes_is_an_orphan() {
        let (pods, second) = (Arc::new(Pods::default()), Duration::from_secs(1));
        pods.apply("n", digest("p", "u1"));
        tokio::time::advance(second * 5).await;
        assert_eq!(pods.orphans("a", second, second * 60).len(), 0);
        assert_eq!(pods.of_agenda("ag_1").len(), 1);
        tokio::time::advance(second * 2).await;
        assert_eq!(pods.orphans("a", second, second * 60).len(), 1);
        assert_eq!(pods.orphans("b", second, second * 60).len(), 0, "another agent's pod");
        let (claim, _inbox) = pods.claim(&place()).unwrap();
        assert_eq!(pods.orphans("a", second, second * 60).len(), 0);
        assert_eq!(pods.of_agenda("ag_1").len(), 0);
        drop(claim);
    }
}
