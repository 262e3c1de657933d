//! Wakes the callers that wait: long polls for work of a pool, and streams of events of an agenda. A wake-up carries no
//! data. A woken caller looks at the state, so a caller neither misses nor doubles a change. A caller that goes leaves
//! nothing behind.

mod feed;
mod polls;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use feed::Feed;
pub use feed::{Step, Told};
pub use polls::Poll;

use crate::ids::{AgendaId, InsightId, PoolId};
use polls::Polls;

/// All waiting callers of the server.
#[derive(Debug, Default)]
pub struct Wakeups {
    polls: Mutex<HashMap<PoolId, Polls>>,
    agendas: Mutex<HashMap<AgendaId, Weak<Watched>>>,
    cancels: watch::Sender<()>,
}

/// The part that all watchers of one agenda share.
#[derive(Debug, Default)]
struct Watched {
    /// Counts changes.
    changes: watch::Sender<u64>,
    feed: tokio::sync::Mutex<Feed>,
}

/// A watcher's wait for changes of one agenda.
#[derive(Debug)]
pub struct Watch {
    shared: Option<Arc<Watched>>,
    receiver: watch::Receiver<u64>,
    agenda: AgendaId,
    wakeups: Arc<Wakeups>,
}

impl Wakeups {
    /// A long poll for work of a pool, or of one insight of the pool.
    pub fn poll(self: &Arc<Self>, pool: &PoolId, insight: Option<&InsightId>) -> Poll {
        Poll::new(Arc::clone(self), pool.clone(), insight.cloned())
    }

    /// Reports one more agenda of an insight for a pull: wakes one poll that takes such agendas.
    pub fn wake_pool(&self, pool: &PoolId, insight: &InsightId) {
        let woken = locked(&self.polls).get_mut(pool).and_then(|polls| polls.pick(insight));
        if let Some(woken) = woken {
            woken.notify_one();
        }
    }

    /// Call this before reading events: a change after this call wakes the watch.
    pub fn watch_agenda(self: &Arc<Self>, agenda: &AgendaId) -> Watch {
        let mut agendas = locked(&self.agendas);
        let shared = agendas.get(agenda).and_then(Weak::upgrade).unwrap_or_else(|| {
            let shared = Arc::new(Watched::default());
            agendas.insert(agenda.clone(), Arc::downgrade(&shared));
            shared
        });
        let receiver = shared.changes.subscribe();
        Watch { shared: Some(shared), receiver, agenda: agenda.clone(), wakeups: Arc::clone(self) }
    }

    /// Call this before looking for cancels: a cancel after this call wakes the receiver.
    pub fn watch_cancels(&self) -> watch::Receiver<()> {
        self.cancels.subscribe()
    }

    /// Reports that a pool must cancel an agenda.
    pub fn wake_cancels(&self) {
        self.cancels.send_replace(());
    }

    /// Reports new events of an agenda.
    pub fn wake_agenda(&self, agenda: &AgendaId) {
        let watched = locked(&self.agendas).get(agenda).and_then(Weak::upgrade);
        if let Some(watched) = watched {
            watched.changes.send_modify(|version| *version += 1);
        }
    }

    /// Wakes every caller, because the last changes are uncertain.
    pub fn wake_all(&self) {
        let polls: Vec<_> = locked(&self.polls).values_mut().flat_map(Polls::pick_all).collect();
        for poll in polls {
            poll.notify_one();
        }
        let agendas: Vec<_> = locked(&self.agendas).values().filter_map(Weak::upgrade).collect();
        for watched in agendas {
            watched.changes.send_modify(|version| *version += 1);
        }
    }

    #[cfg(test)]
    fn watched(&self) -> usize {
        locked(&self.agendas).len()
    }
}

impl Watch {
    /// Waits for the next change. The wait has no other end.
    pub async fn changed(&mut self) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.receiver.changed().await;
    }

    /// The number of changes until now; [`Self::changed`] waits for the next change.
    pub fn version(&mut self) -> u64 {
        *self.receiver.borrow_and_update()
    }

    /// The events that one watcher read for all watchers of the agenda. A reader holds the lock until the end of its
    /// read.
    pub async fn feed(&self) -> Option<tokio::sync::MutexGuard<'_, Feed>> {
        Some(self.shared.as_ref()?.feed.lock().await)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut agendas = locked(&self.wakeups.agendas);
        self.shared = None;
        if agendas.get(&self.agenda).is_some_and(|watched| watched.strong_count() == 0) {
            agendas.remove(&self.agenda);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_change_between_watch_and_wait_is_not_missed() {
        let wakeups = Arc::new(Wakeups::default());
        let agenda = AgendaId::from("ag_1");
        let mut watch = wakeups.watch_agenda(&agenda);
        wakeups.wake_agenda(&agenda);
        watch.changed().await;
        let (pool, insight) = (PoolId::from("p"), InsightId::from("i"));
        let mut poll = wakeups.poll(&pool, None);
        poll.wait();
        wakeups.wake_pool(&pool, &insight);
        poll.woken().await;
    }

    #[test]
    fn nothing_is_left_of_watches_that_are_gone() {
        let wakeups = Arc::new(Wakeups::default());
        let agenda = AgendaId::from("ag_1");
        let (one, two) = (wakeups.watch_agenda(&agenda), wakeups.watch_agenda(&agenda));
        drop(one);
        assert_eq!(wakeups.watched(), 1);
        drop(two);
        assert_eq!(wakeups.watched(), 0);
        let mut poll = wakeups.poll(&PoolId::from("any name"), None);
        poll.wait();
        assert_eq!(locked(&wakeups.polls).len(), 1);
        drop(poll);
        assert!(locked(&wakeups.polls).is_empty());
    }

    fn woken(polls: &mut [Poll]) -> Vec<bool> {
        polls.iter_mut().map(|poll| poll.woken().now_or_never().is_some()).collect()
    }

    #[test]
    fn one_agenda_wakes_one_poll_that_takes_it() {
        let wakeups = Arc::new(Wakeups::default());
        let (pool, i, j) = (PoolId::from("p"), InsightId::from("i"), InsightId::from("j"));
        let mut polls =
            [wakeups.poll(&pool, Some(&j)), wakeups.poll(&pool, None), wakeups.poll(&pool, Some(&i))];
        polls.iter_mut().for_each(Poll::wait);
        wakeups.wake_pool(&pool, &i);
        assert_eq!(woken(&mut polls), [false, true, false]);
        wakeups.wake_pool(&pool, &i);
        assert_eq!(woken(&mut polls), [false, false, true]);
        wakeups.wake_pool(&pool, &i);
        assert_eq!(woken(&mut polls), [false, false, false]);
        wakeups.wake_all();
        assert_eq!(woken(&mut polls), [true, false, false], "the others wait no more");
    }

    #[test]
    fn who_goes_without_looking_passes_the_wake_on() {
        let wakeups = Arc::new(Wakeups::default());
        let (pool, i) = (PoolId::from("p"), InsightId::from("i"));
        let (mut first, mut second) = (wakeups.poll(&pool, None), wakeups.poll(&pool, None));
        first.wait();
        second.wait();
        wakeups.wake_pool(&pool, &i);
        drop(first);
        assert!(second.woken().now_or_never().is_some());
        let mut third = wakeups.poll(&pool, None);
        third.wait();
        second.pass_on();
        assert!(third.woken().now_or_never().is_some());
        third.looked();
        drop(third);
    }
}
